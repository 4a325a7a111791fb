//! The random numbers of a strategy.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A sequence of random numbers that a seed determines.
#[derive(Clone, Debug)]
pub struct Dice(Xoshiro256PlusPlus);

impl Dice {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Any number.
    #[inline]
    pub fn any(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`; 0 if there is none.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        // Lemire's multiplication without its rejection step: the bias is below 2^-32 for such bounds.
        ((u128::from(self.any()) * u128::from(bound)) >> 64) as u64
    }

    /// True once in `odds` times.
    #[inline]
    pub fn one_in(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }
}
