//! The random numbers of a strategy.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::inject_at_random;
use crate::model::schedule::Injection;

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
