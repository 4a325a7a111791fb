//! What the layers above share: executions, operations, schedules, settings and verdicts, and their stable names.

pub mod behaviours;
pub mod execution;
pub mod exit;
pub mod extent;
pub mod left_out;
pub mod limits;
pub mod offers;
pub mod op;
pub mod schedule;
pub mod settings;
pub mod sketch;
pub mod splitmix;
pub mod verdict;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_case_format() {
        assert_eq!(word(&verdict::Verdict::LostWakeup), "lost-wakeup");
    }
}
