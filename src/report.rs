//! What people and programs read: tables, a progress line, JSON, timelines, interleavings and graphs.
#![forbid(unsafe_code)]

pub mod corpus;
pub mod findings;
pub mod graph;
pub mod interleaving;
pub mod json;
pub mod junit;
pub mod progress;
pub mod replays;
pub mod sarif;
pub mod table;
pub mod throughput;
pub mod timeline;

#[cfg(test)]
pub(crate) mod sample;

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

/// The word for a verdict, sanitizer, engine and the like, the same in files, JSON and on the terminal.
///
/// # Panics
/// The value is not an enumeration without data.
#[must_use]
pub fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => panic!("not a word: {other:?}"),
    }
}

/// Prints a line to standard output. Whoever reads it may stop at any time.
pub fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// A number with its thousands apart.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Verdict;

    #[test]
    fn words_are_those_of_the_case_format() {
        assert_eq!(word(&Verdict::LostWakeup), "lost-wakeup");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
