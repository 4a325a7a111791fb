//! The random numbers of a strategy.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::inject_at_random;
use crate::model::schedule::Injection;
use crate::model::splitmix::splitmix64;

/// A sequence of random numbers that a seed determines.
#[derive(Clone, Debug)]
pub struct Dice(Xoshiro256PlusPlus);

impl Dice {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// The number below `bound` that the sequence of this seed begins with, which takes less than to make it.
    #[inline]
    #[must_use]
    pub fn first_below(seed: u64, bound: u64) -> u64 {
        // Xoshiro256++ begins with four numbers of SplitMix64, of which the first output takes two.
        let step = |number: u64| splitmix64(seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let (first, last) = (step(0), step(3));
        scale(first.wrapping_add(last).rotate_left(23).wrapping_add(first), bound)
    }

    /// Any number.
    #[inline]
    pub fn any(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`; 0 if there is none.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        scale(self.any(), bound)
    }

    /// An index of a list of that length.
    #[inline]
    pub fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// What goes wrong, if anything does.
    pub fn injection(&mut self, options: &[Injection]) -> Option<Injection> {
        inject_at_random(options, |bound| self.below(bound))
    }

    /// True once in `odds` times.
    #[inline]
    pub fn one_in(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }
}

/// A number below `bound` of any number.
#[inline]
fn scale(any: u64, bound: u64) -> u64 {
    // Lemire's multiplication without its rejection step: the bias is below 2^-32 for such bounds.
    ((u128::from(any) * u128::from(bound)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sequence_begins_with_is_known_without_it() {
        for seed in (0..1_000).chain([u64::MAX, 1 << 63]) {
            assert_eq!(Dice::first_below(seed, u64::MAX), Dice::new(seed).below(u64::MAX));
        }
    }
}
