//! Reads what ThreadSanitizer, AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer print, and threadbare of the races
//! that it sees itself.

mod frame;
mod line;

pub use line::Line;

use std::borrow::Cow;

use frame::Frame;

use crate::model::verdict::{Failure, OracleName, Verdict};

/// Stacks looked at per report: the two accesses of a race; those further down only tell the history.
const STACKS: usize = 2;

/// Causes that are told apart.
const MAX_REPORTS: usize = 64;

/// Longest part of a report that is kept, in bytes.
const MAX_TEXT: usize = 24 * 1024;
/// Longest line of a report that would be longer than that, in characters.
const LONGEST_LINE: usize = 400;

/// What ThreadSanitizer prints in place of calls that it no longer knows.
pub const LOST_STACK: &str = "[failed to restore the stack]";

/// The reports of sanitizers in a worker's standard error, each cause once, in the order of the text.
#[must_use]
pub fn failures(text: &str) -> Vec<Failure> {
    let mut failures: Vec<Failure> = Vec::new();
    for (_, failure) in reports(text) {
        if failures.iter().all(|known| known.cause != failure.cause) {
            failures.push(failure);
        }
        if failures.len() == MAX_REPORTS {
            break;
        }
    }
    failures
}

/// The part of a worker's standard error from the first report on.
#[must_use]
pub fn report_text(text: &str) -> &str {
    let start = reports(text).next().map_or(0, |(report, _)| offset_of(text, report));
    text[start..].trim_end()
}

/// The part of it that a case keeps which failed so, bounded: the report of that, or all of it if there is none.
#[must_use]
pub fn report_of(text: &str, failure: &Failure) -> String {
    let own = reports(text).find(|(_, reported)| reported.cause == failure.cause);
    let text = own.map_or(text, |(report, _)| report);
    // Names of templates may leave no room for what comes after them.
    let text = if text.len() > MAX_TEXT { Cow::Owned(with_short_lines(text)) } else { Cow::Borrowed(text) };
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim_end_matches(|last: char| last == '=' || last.is_whitespace()).to_owned()
}

/// With the middle left out of long lines: a frame begins with its function and ends with its place.
fn with_short_lines(text: &str) -> String {
    let shortened = |line: &str| {
        let characters: Vec<char> = line.chars().collect();
        if characters.len() <= LONGEST_LINE {
            return line.to_owned();
        }
        let (first, last) = (&characters[..LONGEST_LINE / 2], &characters[characters.len() - LONGEST_LINE / 2..]);
        format!("{}…{}", String::from_iter(first), String::from_iter(last))
    };
    text.lines().map(|line| shortened(line) + "\n").collect()
}

/// A text without the reports in it: what the program itself printed.
#[must_use]
pub fn without_reports(text: &str) -> String {
    let mut is_within = false;
    let mut rest = String::new();
    for line in text.lines() {
        let is_ruler = line.len() > 10 && line.bytes().all(|byte| byte == b'=');
        let is_last = is_ruler || ["SUMMARY: ", "ThreadSanitizer: reported "].iter().any(|word| line.starts_with(word));
        let head = Head::of(line);
        if head.is_none() && !is_last && !is_within {
            rest.push_str(line);
            rest.push('\n');
        }
        // What UndefinedBehaviorSanitizer prints need not be more than that line.
        is_within = !is_last && head.map_or(is_within, |head| head.place.is_none());
    }
    rest
}

/// Each report, from its first line up to the next one, and what it is about.
fn reports(text: &str) -> impl Iterator<Item = (&str, Failure)> {
    let mut heads = text.lines().filter_map(|line| Some((offset_of(text, line), Head::of(line)?))).peekable();
    std::iter::from_fn(move || {
        let (start, head) = heads.next()?;
        let report = &text[start..heads.peek().map_or(text.len(), |(next, _)| *next)];
        let lines: Vec<&str> = report.lines().skip(1).collect();
        Some((report, head.failure(&lines)))
    })
}

/// The innermost of the target's own functions in the first stack of a text, with its place.
#[must_use]
pub fn first_own_call(text: &str) -> Option<String> {
    let mut frames = text.lines().skip_while(|line| Frame::of(line).is_none()).map_while(Frame::of);
    let frame = frames.find(|frame| !frame.is_runtime() && frame.line.is_some())?;
    let file = frame.file.rsplit('/').next().unwrap_or(frame.file);
    Some(format!("{} ({file}:{})", frame.function, frame.line.unwrap_or_default()))
}

/// A demangled function without types and arguments.
#[must_use]
pub fn plain_name(function: &str) -> String {
    Frame::of(&format!("#0 {function}")).map_or_else(|| function.to_owned(), |frame| frame.function)
}

/// The places of the two accesses of a data race, as `file:line`, of those frames that are the target's own.
#[must_use]
pub fn accesses_of_race(report: &str) -> Vec<String> {
    let is_head = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("Previous ").unwrap_or(line).to_ascii_lowercase();
        ["write of size", "read of size", "atomic write of size", "atomic read of size"]
            .iter()
            .any(|head| line.starts_with(head))
    };
    let mut lines = report.lines().skip_while(|line| !line.contains(": data race"));
    let mut places = Vec::new();
    while let Some(line) = lines.next()
        && places.len() < 2
    {
        if !is_head(line) {
            continue;
        }
        let frames = lines.by_ref().map_while(Frame::of);
        let own = frames.filter(|frame| !frame.is_runtime()).find_map(|frame| {
            let line = frame.line?;
            (!frame.file.is_empty()).then(|| format!("{}:{line}", frame.file))
        });
        places.extend(own);
    }
    places
}

/// A text without what stands in 'quotes': types, which differ from one instantiation of a template to the
/// next.
fn without_quotes(text: &str) -> String {
    text.split('\'').step_by(2).collect::<Vec<_>>().join("_")
}

/// A text with every number replaced, so that addresses, sizes and process ids do not tell causes apart.
#[must_use]
pub fn without_numbers(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if !character.is_ascii_digit() {
            plain.push(character);
            continue;
        }
        plain.push('N');
        while characters.next_if(|next| next.is_ascii_hexdigit() || *next == 'x').is_some() {}
    }
    plain
}

fn offset_of(text: &str, line: &str) -> usize {
    line.as_ptr().addr() - text.as_ptr().addr()
}

/// What the first line of a report says.
struct Head {
    tool: &'static str,
    kind: String,
    verdict: Verdict,
    /// Whether the report is about two accesses rather than one.
    two_sided: bool,
    /// Where, for reports whose stacks may be missing.
    place: Option<String>,
}

impl Head {
    /// What the report with this head is about; `lines` follow it.
    fn failure(&self, lines: &[&str]) -> Failure {
        let mut functions = user_functions(lines, if self.two_sided { STACKS } else { 1 });
        if self.two_sided {
            // Which access comes first depends on the schedule, not on the cause.
            functions.sort();
            functions.dedup();
        }
        let place = if functions.is_empty() { self.place.clone().unwrap_or_default() } else { functions.join(" and ") };
        let within = if place.is_empty() { String::new() } else { format!(" in {place}") };
        Failure {
            verdict: self.verdict,
            oracle: OracleName::Sanitizer,
            message: format!("{}: {}{within}", self.tool, self.kind),
            cause: format!("{}{within}", without_quotes(&without_numbers(&self.kind))),
        }
    }

    fn of(line: &str) -> Option<Self> {
        const TOOLS: [&str; 4] = ["ThreadSanitizer", "AddressSanitizer", "LeakSanitizer", "threadbare"];
        for tool in TOOLS {
            for level in ["WARNING: ", "ERROR: "] {
                let Some((before, after)) = line.split_once(&format!("{level}{tool}: ")) else {
                    continue;
                };
                if before.is_empty() || before.starts_with("==") {
                    return Some(Self::of_address_or_thread(tool, after));
                }
            }
        }
        let (place, message) = line.split_once(": runtime error: ")?;
        let file = place.split(':').next()?.rsplit('/').next()?.to_owned();
        Some(Self {
            tool: "UndefinedBehaviorSanitizer",
            kind: message.trim().to_owned(),
            verdict: Verdict::UndefinedBehaviour,
            two_sided: false,
            place: Some(file),
        })
    }

    fn of_address_or_thread(tool: &'static str, after: &str) -> Self {
        let end = [" (pid=", " on unknown address", " on address", " on 0x", ": attempting", " (thread"]
            .iter()
            .filter_map(|mark| after.find(mark))
            .min()
            .unwrap_or(after.len());
        let mut kind = after[..end].trim().to_owned();
        if kind.starts_with("requested allocation size") {
            kind = "allocation-size-too-big".to_owned();
        }
        let verdict = verdict_of(tool, &kind);
        Self { tool, verdict, two_sided: verdict == Verdict::DataRace, kind, place: None }
    }
}

fn verdict_of(tool: &str, kind: &str) -> Verdict {
    let is = |words: &[&str]| words.iter().any(|word| kind.starts_with(word));
    if tool == "LeakSanitizer" {
        return if is(&["detected memory leaks"]) { Verdict::Leak } else { Verdict::SanitizerReport };
    }
    if is(&["SEGV", "BUS", "FPE", "ILL", "TRAP", "stack-overflow"]) {
        Verdict::Crash
    } else if is(&["ABRT"]) {
        Verdict::Abort
    } else if is(&["out of memory", "out-of-memory", "allocation-size-too-big", "calloc-overflow", "hard rss limit"]) {
        Verdict::OutOfMemory
    } else if is(&["data race", "race on "]) {
        Verdict::DataRace
    } else if tool == "AddressSanitizer" || is(&["heap-use-after-free"]) {
        Verdict::MemoryError
    } else {
        Verdict::SanitizerReport
    }
}

/// The innermost function of the target in each of the first stacks, of those that are known.
fn user_functions(lines: &[&str], stacks: usize) -> Vec<String> {
    lines
        .split(|line| line.trim().is_empty())
        .map(|stack| {
            let is_lost = stack.iter().any(|line| line.trim() == LOST_STACK);
            (stack.iter().filter_map(|line| Frame::of(line)).collect::<Vec<_>>(), is_lost)
        })
        .filter(|(frames, is_lost)| *is_lost || !frames.is_empty())
        .take(stacks)
        .map(|(frames, _)| frames)
        .filter_map(|frames| frames.iter().find(|frame| !frame.is_runtime()).or(frames.first()).map(Frame::name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reports that clang 19 and g++ 12 made of small buggy programs.
    macro_rules! report {
        ($name:literal) => {
            failures(include_str!(concat!("../../tests/reports/", $name, ".txt"))).remove(0)
        };
    }

    #[test]
    fn a_data_race_names_both_functions_whatever_the_compiler() {
        for failure in [report!("clang19-thread-race"), report!("g++12-thread-race")] {
            assert_eq!(failure.verdict, Verdict::DataRace);
            assert_eq!(failure.oracle, OracleName::Sanitizer);
            assert_eq!(failure.cause, "data race in app::Ring::push");
        }
    }

    #[test]
    fn the_order_of_the_two_accesses_does_not_change_the_cause() {
        let stack = |function: &str| format!("    #0 {function} /src/a.cpp:1:2 (a+0x1)\n\n");
        let report = |first: &str, second: &str| {
            let text = format!(
                "WARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 8 at 0x1 by main thread:\n{}  Previous read of size 8 at 0x1 by thread T1:\n{}",
                stack(first),
                stack(second)
            );
            failures(&text).remove(0).cause
        };
        assert_eq!(report("app::push(int)", "app::pop()"), report("app::pop()", "app::push(int)"));
        assert_eq!(report("app::push(int)", "app::pop()"), "data race in app::pop and app::push");
    }

    #[test]
    fn a_use_after_free_is_a_memory_error_under_both_sanitizers() {
        let reports = [
            report!("clang19-address-uaf"),
            report!("g++12-address-uaf"),
            report!("clang19-thread-uaf"),
            report!("g++12-thread-uaf"),
        ];
        for failure in reports {
            assert_eq!(failure.verdict, Verdict::MemoryError);
            assert_eq!(failure.cause, "heap-use-after-free in app::Waker::wake");
        }
    }

    #[test]
    fn a_null_dereference_that_a_sanitizer_reports_is_a_crash() {
        for failure in [report!("clang19-thread-segv"), report!("g++12-thread-segv")] {
            assert_eq!(failure.verdict, Verdict::Crash);
            assert_eq!(failure.cause, "SEGV in result (segv.cpp)");
        }
    }

    #[test]
    fn undefined_behaviour_is_told_apart_by_kind_and_file_when_there_is_no_stack() {
        for failure in [report!("clang19-address-ub"), report!("g++12-address-ub")] {
            assert_eq!(failure.verdict, Verdict::UndefinedBehaviour);
            assert_eq!(failure.cause, "shift exponent N is too large for N-bit type _ in ub.cpp");
        }
    }

    #[test]
    fn a_leak_names_the_function_that_allocated() {
        assert_eq!(report!("clang19-address-leak").cause, "detected memory leaks in main (leak.cpp)");
        assert_eq!(report!("g++12-address-leak").cause, "detected memory leaks in app::make_frame");
        assert_eq!(report!("clang19-address-leak").verdict, Verdict::Leak);
    }

    #[test]
    fn an_abort_an_overflow_of_the_stack_and_an_impossible_allocation_have_their_own_verdicts() {
        for failure in [report!("clang19-address-abort"), report!("g++12-address-abort")] {
            assert_eq!((failure.verdict, failure.cause.as_str()), (Verdict::Abort, "ABRT in main (abort.cpp)"));
        }
        for failure in [report!("clang19-address-so"), report!("g++12-address-so")] {
            assert_eq!((failure.verdict, failure.cause.as_str()), (Verdict::Crash, "stack-overflow in deep (so.cpp)"));
        }
        for failure in [report!("clang19-address-oom"), report!("g++12-address-oom")] {
            assert_eq!(failure.verdict, Verdict::OutOfMemory);
            assert_eq!(failure.cause, "allocation-size-too-big in main (oom.cpp)");
        }
    }

    #[test]
    fn which_coroutine_of_the_harness_it_is_does_not_change_the_cause() {
        let race = |kind: &str| {
            let text = format!(
                "WARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 8 at 0x1 by thread T1:\n    \
                 #0 threadbare::Interpreter<threadbare::Bundled>::{kind}_task<1>(threadbare::FrameToken, unsigned int) \
                 (.resume) /src/interpreter.hpp:143:5 (a+0x2)\n"
            );
            failures(&text).remove(0).cause
        };
        assert_eq!([race("int"), race("void")], ["data race in a task"; 2]);
    }

    #[test]
    fn inlined_library_code_is_passed_over_for_the_code_that_called_it() {
        let text = "WARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 8 at 0x1 by thread T1:\n    \
                    #0 operator delete(void*) <null> (a+0x1)\n    \
                    #1 _M_release /usr/lib/gcc/12/../../../../include/c++/12/stop_token:188 (a+0x2)\n    \
                    #2 complete /src/runtime/gather.hpp:59 (a+0x2)\n\n  Previous read\n    \
                    #0 load /usr/include/c++/12/bits/atomic_base.h:488 (a+0x3)\n    \
                    #1 app::Task<int>::take() /src/runtime/task.hpp:30:5 (a+0x3)\n";
        assert_eq!(failures(text)[0].cause, "data race in app::Task::take and complete (gather.hpp)");
    }

    #[test]
    fn several_reports_of_one_execution_are_told_apart_and_each_cause_is_told_once() {
        let race = include_str!("../../tests/reports/clang19-thread-race.txt");
        let other = include_str!("../../tests/reports/clang19-thread-uaf.txt");
        let verdicts: Vec<Verdict> =
            failures(&[race, other, race].concat()).iter().map(|failure| failure.verdict).collect();
        assert_eq!(verdicts, [Verdict::DataRace, Verdict::MemoryError]);
    }

    #[test]
    fn an_access_whose_calls_are_lost_is_none_of_those_that_only_tell_the_history() {
        let text = "WARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 4 at 0x1 by thread T1:\n    \
                    #0 app::push() /src/a.cpp:1:2 (a+0x1)\n\n  Previous read of size 4 at 0x1 by main thread:\n    \
                    [failed to restore the stack]\n\n  Thread T1 (tid=2) created by main thread at:\n    \
                    #0 app::begin() /src/a.cpp:9:2 (a+0x1)\n";
        assert_eq!(failures(text)[0].cause, "data race in app::push");
    }

    #[test]
    fn text_without_a_report_is_none() {
        assert_eq!(failures(""), []);
        assert_eq!(failures("terminate called after throwing\nWARNING: something else"), []);
        assert_eq!(report_text("no report\n"), "no report");
    }

    #[test]
    fn the_kept_text_is_the_report_of_the_failure_and_bounded() {
        let noise = "chatter é\n".repeat(10);
        let head = "==================\nWARNING: ThreadSanitizer: ";
        let race = |function: &str| {
            format!("{head}data race (pid=1)\n  Write of size 4:\n    #0 {function}() /a.c:1 (a+0x1)\n\n")
        };
        let long = format!("{head}heap-use-after-free (pid=1)\n{}", "é".repeat(MAX_TEXT));
        let text = [noise, race("app::push"), race("app::pop"), long].concat();
        let kept = report_text(&text);
        assert!(kept.starts_with("WARNING: ThreadSanitizer"));
        for failure in failures(&text) {
            let own = report_of(kept, &failure);
            assert_eq!(failures(&own), [failure], "{own}");
            assert!(own.starts_with("WARNING: ") && own.len() <= MAX_TEXT && !own.ends_with('='));
        }
        let other = Failure { cause: "SIGSEGV".to_owned(), ..failures(&text).remove(0) };
        assert_eq!(failures(&report_of(kept, &other)).len(), 3);
    }

    #[test]
    fn names_of_templates_leave_room_for_what_comes_after_them() {
        let name = format!("    #1 app::Queue<{}>::pop() /src/queue.hpp:7 (a+0x1)\n", "app::Item, ".repeat(200));
        let head =
            "WARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 4:\n    #0 app::push() /a.c:1 (a+0x1)\n";
        let text = format!("{head}{}\n  Thread T1 created by main thread at:\n", name.repeat(30));
        let own = report_of(&text, &failures(&text)[0]);
        assert!(own.ends_with("Thread T1 created by main thread at:"), "{own}");
        assert!(own.contains("#1 app::Queue<app::Item") && own.contains("/src/queue.hpp:7"), "{own}");
    }
}
