//! Where the generator's decisions come from: the bytes of a fuzzer or a seeded random number generator.

use arbitrary::Unstructured;
use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A source of decisions. It never runs out: a finite one goes on with zeros.
pub trait Decisions {
    /// A number below `bound`, which is at least 1.
    fn below(&mut self, bound: u32) -> u32;

    /// True in `odds` of `of` cases.
    fn chance(&mut self, odds: u32, of: u32) -> bool {
        // The zeros of an exhausted source say no, so that what they generate ends soon.
        self.below(of) + odds >= of
    }

    /// A number between the two, both included.
    fn between(&mut self, least: u32, most: u32) -> u32 {
        least + self.below(most - least + 1)
    }

    /// The index of one of the weights, as likely as its share of their sum, which is at least 1.
    fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (index, &weight) in weights.iter().enumerate() {
            if left < weight {
                return index;
            }
            left -= weight;
        }
        0
    }
}

impl Decisions for Unstructured<'_> {
    fn below(&mut self, bound: u32) -> u32 {
        self.int_in_range(0..=bound - 1).unwrap_or(0)
    }
}

/// Decisions from a seed: equal seeds, equal decisions, on every machine.
pub struct Seeded(Xoshiro256PlusPlus);

impl Seeded {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }
}

impl Decisions for Seeded {
    fn below(&mut self, bound: u32) -> u32 {
        // Lemire's multiplication without its rejection step: the bias is below 2^-32 times the bound.
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u32
    }
}
