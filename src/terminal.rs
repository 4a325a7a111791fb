//! The one way to the terminal: what files, names and programs say reaches it as text, and what cannot be written is known.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

use anyhow::{Result, anyhow};

/// Why standard output did not take everything; the first reason.
static LOST: OnceLock<String> = OnceLock::new();

/// Prints a line to standard output. Whoever reads it may stop at any time; whether everything else could be written is
/// told by [`finish`].
pub fn say(line: impl Display) {
    print(&format!("{line}\n"));
}

/// The same, without ending the line.
pub fn print(text: &str) {
    match io::stdout().write_all(visible(text).as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => lose(&error),
        _ => {}
    }
}

/// As [`say`], each line as `paint` makes it of what is visible of it.
pub fn say_painted(text: &str, paint: impl Fn(&str) -> String) {
    let painted: String = visible(text).split('\n').map(|line| paint(line) + "\n").collect();
    match io::stdout().write_all(painted.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => lose(&error),
        _ => {}
    }
}

/// Prints a line to standard error, as far as that takes it.
pub fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{}", visible(&line.to_string()).trim_end_matches('\n'));
}

/// Ends standard output.
///
/// # Errors
/// It did not take all that was printed.
pub fn finish() -> Result<()> {
    match io::stdout().flush() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => lose(&error),
        _ => {}
    }
    match LOST.get() {
        Some(why) => Err(anyhow!("cannot write to standard output: {why}; what was printed is not complete")),
        None => Ok(()),
    }
}

fn lose(error: &io::Error) {
    LOST.get_or_init(|| error.to_string());
}

/// The text without what a terminal would obey or display in another order: each such character is written as in JSON,
/// so that JSON stays what it is.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |character| !matches!(character, '\n' | '\t') && is_obeyed(character))
}

/// A name, which stays in its line.
#[must_use]
pub fn in_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed)
}

fn escaped(text: &str, is_hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_hidden) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hidden(character) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            escaped.push(character);
        }
    }
    escaped.into()
}

/// Control characters, line separators, and what changes the direction of text (Unicode's UAX #9).
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_and_all_else_stays() {
        assert_eq!(
            visible("a\u{1b}]0;title\u{7}\r\u{9b}2J\u{7f}\u{202e}x"),
            "a\\u001b]0;title\\u0007\\u000d\\u009b2J\\u007f\\u202ex"
        );
        assert!(matches!(visible("│ naïve 日本\t1×\n"), Cow::Borrowed("│ naïve 日本\t1×\n")));
        assert_eq!(in_line("a\nb\tc"), "a\\u000ab\\u0009c");
    }
}
