//! Interleavings on a terminal: each line within its width, and each thread in a colour of its own.

use std::io::{self, IsTerminal};

use crate::process;
use crate::terminal;

/// Foreground colours that are readable on dark and on light ground, by thread.
const COLOURS: [u8; 6] = [34, 32, 35, 36, 33, 31];
/// Fewer columns cut more than they show.
const NARROWEST: usize = 40;

/// How standard output shows lines, if it is a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Screen {
    /// Columns, if they are known.
    width: Option<usize>,
    has_colours: bool,
}

/// That of standard output; none where it is a file or a pipe. Colours are left out where NO_COLOR is set, as
/// <https://no-color.org> asks.
fn screen() -> Option<Screen> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let has_colours = !is_set("NO_COLOR") && !is_dumb;
    io::stdout().is_terminal().then(|| Screen { width: process::terminal_width(), has_colours })
}

/// Says a text that may hold interleavings.
pub fn say(text: &str) {
    match screen() {
        Some(screen) => terminal::say_painted(text, |line| painted(line, screen)),
        None => terminal::say(text),
    }
}

fn painted(line: &str, screen: Screen) -> String {
    let Some(thread) = thread_of(line) else { return line.to_owned() };
    let line = match screen.width {
        Some(width) if line.chars().count() > width.max(NARROWEST) => {
            line.chars().take(width.max(NARROWEST) - 1).chain(['…']).collect()
        }
        _ => line.to_owned(),
    };
    if !screen.has_colours {
        return line;
    }
    let weight = if line.contains('◀') { "1;" } else { "" };
    format!("\u{1b}[{weight}{}m{line}\u{1b}[0m", COLOURS[thread % COLOURS.len()])
}

/// The thread that a line of an interleaving is of.
fn thread_of(line: &str) -> Option<usize> {
    let (before, _) = line.split_once(" │ ")?;
    before.rsplit_once("thread ")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_threads_keep_to_the_width_and_have_their_colours() {
        let line = "    3 ▸    thread 1 │ counter.c:14 add: reads counter (0)";
        let screen = |width, has_colours| Screen { width, has_colours };
        assert_eq!(painted(line, screen(None, false)), line);
        let cut = painted(line, screen(Some(44), false));
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (44, true), "{cut}");
        assert_eq!(painted(line, screen(None, true)), format!("\u{1b}[32m{line}\u{1b}[0m"));
        let long = "x".repeat(99);
        assert_eq!(painted(&long, screen(Some(44), true)), long, "what is no line of a thread stays as it is");
    }
}
