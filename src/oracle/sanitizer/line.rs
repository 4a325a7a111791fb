//! The line of the source that a report or a failed assertion is about.

use super::frame::Frame;

/// A line of a source file, by the path that the compiler was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub file: String,
    pub number: u32,
}

impl Line {
    /// The first line of the target that `text` names: of an assertion, of undefined behaviour, or of the innermost
    /// frame that is no library's.
    #[must_use]
    pub fn named_in(text: &str) -> Option<Self> {
        text.lines().find_map(|line| Self::said(line).or_else(|| Self::of_frame(line)))
    }

    /// What an assertion or UndefinedBehaviorSanitizer says in words.
    fn said(line: &str) -> Option<Self> {
        if let Some((_, place)) = line.split_once("failed assertion at ") {
            return Self::of_place(place.split_whitespace().next()?);
        }
        let before = [": Assertion `", ": runtime error: "].iter().find_map(|mark| line.split_once(mark))?.0;
        before.split_whitespace().find_map(Self::of_place)
    }

    fn of_frame(line: &str) -> Option<Self> {
        let frame = Frame::of(line).filter(|frame| !frame.is_runtime())?;
        // Line 0 is of code that the compiler made up.
        let number = frame.line.filter(|number| *number > 0)?;
        Some(Self { file: frame.file.to_owned(), number })
    }

    /// Reads `file:line`, whatever column or colon follows.
    fn of_place(place: &str) -> Option<Self> {
        let (file, rest) = place.split_once(':')?;
        let number = rest.split(':').next()?.parse().ok()?;
        (!file.is_empty()).then(|| Self { file: file.to_owned(), number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named_in(text: &str) -> Option<(String, u32)> {
        Line::named_in(text).map(|line| (line.file, line.number))
    }

    fn at(file: &str, number: u32) -> Option<(String, u32)> {
        Some((file.to_owned(), number))
    }

    #[test]
    fn the_innermost_frame_that_is_no_librarys_is_named() {
        let text = "data-race: ThreadSanitizer: data race in take\n\nWARNING: ThreadSanitizer: data race (pid=1)\n  \
                    Write of size 8 at 0x1 by thread T1:\n    \
                    #0 load /usr/include/c++/12/bits/atomic_base.h:488 (a+0x3)\n    \
                    #1 app::resume() /src/runtime/task.hpp:0 (a+0x3)\n    \
                    #2 app::Task<int>::take() /src/runtime/task.hpp:30:5 (a+0x3)\n";
        assert_eq!(named_in(text), at("/src/runtime/task.hpp", 30));
    }

    #[test]
    fn undefined_behaviour_and_assertions_name_their_line() {
        let said = [
            "/src/ub.cpp:7:12: runtime error: shift exponent 40 is too large",
            "abort: ended by SIGABRT: threadbare-none: /src/ub.cpp:7: int f(): Assertion `x == 1' failed.",
            "failed-assertion: failed assertion at /src/ub.cpp:7: `x == 1`",
        ];
        for text in said {
            assert_eq!(named_in(text), at("/src/ub.cpp", 7), "{text}");
        }
    }

    #[test]
    fn a_report_that_names_no_line_has_none() {
        let texts = [
            "",
            "lost-wakeup: stuck (thread 0 in pthread_cond_wait)\n  0 thread 0 │ task 0: begins",
            "    #0 operator new(unsigned long) <null> (a+0x1)\n    #1 <null> <null> (libc.so+0x1)",
            "Assertion: `",
        ];
        for text in texts {
            assert_eq!(named_in(text), None, "{text}");
        }
    }
}
