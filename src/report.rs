//! What people and programs read: tables, a progress line, JSON, timelines, interleavings and graphs.

pub mod bugs;
pub mod completeness;
pub mod corpus;
pub mod findings;
pub mod graph;
pub mod index;
pub mod json;
pub mod junit;
pub mod minimised;
pub mod page;
pub mod painted;
pub mod progress;
pub mod prospects;
pub mod reasons;
pub mod replays;
pub mod sarif;
pub mod table;
pub mod throughput;
pub mod trace_events;

pub use crate::terminal::say;

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

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
