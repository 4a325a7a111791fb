//! What tells one execution from another beyond the code that it ran: feedback for a fuzzer.
//!
//! Each kind has a range of the counters that libFuzzer treats like edges ([`counters`]). What happened is
//! hashed into the range, so two things may share a counter; then the second is no news, which costs an input of the
//! corpus at worst.

pub mod counters;
mod observer;
mod pairs;
mod reached;
mod states;

use std::ops::Range;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

pub use observer::Observer;
pub use reached::{Features, Reached};
pub use states::States;

/// A kind of feedback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Edges of the target's C++ (clang).
    Edges,
    /// Which write each read saw, both by their places in the code.
    ReadsFrom,
    /// Where in the code an object passes from one thread to another, and how often.
    HandOvers,
    /// What the threads wait in whenever one more does.
    Blocked,
    /// What the oracles see of an operation: what it gave, and what overlapped with it.
    Oracles,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Edges, Self::ReadsFrom, Self::HandOvers, Self::Blocked, Self::Oracles];

    /// Its counters.
    #[must_use]
    pub const fn counters(self) -> Range<usize> {
        match self {
            Self::Edges => 0..16_384,
            Self::ReadsFrom => 16_384..22_528,
            Self::HandOvers => 22_528..26_624,
            Self::Blocked => 26_624..28_672,
            Self::Oracles => 28_672..counters::COUNT,
        }
    }

    /// The counter of what has this hash.
    #[inline]
    fn counter(self, hash: u64) -> usize {
        let Range { start, end } = self.counters();
        // The upper half, which depends on every bit of what was multiplied.
        start + (hash >> 32) as usize % (end - start)
    }
}

/// One number of two, whose upper half depends on every bit of both.
#[inline]
fn mix(left: u64, right: u64) -> u64 {
    (left.rotate_left(23) ^ right).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Edges of the target's C++ that were passed in this process. Each counts once: libFuzzer need not be told again of
/// the thousands that every execution passes.
#[derive(Debug, Default)]
pub struct Edges {
    known: Vec<u8>,
}

impl Edges {
    /// Marks the edges that were passed for the first time.
    pub fn look(&mut self) {
        let Range { start, end } = Kind::Edges.counters();
        counters::new_edges(&mut self.known, |edge| counters::mark(start + edge % (end - start)));
    }

    /// From now on every edge counts anew.
    pub fn forget(&mut self) {
        counters::forget_edges();
        self.known.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_belongs_to_one_kind() {
        let ranges = Kind::ALL.map(Kind::counters);
        assert_eq!(ranges[0].start, 0);
        for pair in ranges.windows(2) {
            assert_eq!(pair[0].end, pair[1].start);
        }
        assert_eq!(ranges[ranges.len() - 1].end, counters::COUNT);
    }

    #[test]
    fn hashes_fall_into_the_range_of_their_kind() {
        for kind in Kind::ALL {
            for number in 0..1_000 {
                assert!(kind.counters().contains(&kind.counter(mix(number, 7))), "{kind:?}");
            }
        }
    }
}
