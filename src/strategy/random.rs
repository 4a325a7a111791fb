//! A random walk: at random points, any other thread.
#![forbid(unsafe_code)]

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::{Decision, Divergence, Strategy, Turn, inject_at_random};
use crate::execution::ThreadId;
use crate::schedule::Injection;

/// Each execution draws how often it switches: some bugs need many switches close together, others one switch after a
/// long quiet run. Turns last at most this part of the expected points, as a power of 2: a half to a 32nd.
const LONGEST_SCALE: u64 = 1;
const TURN_SCALES: u64 = 5;
/// In a short execution they last up to so many points all the same.
const SHORTEST_TURNS: u64 = 4;
/// One decision in so many considers letting a time-out happen although somebody can run.
const TIME_OUT_ODDS: u64 = 16;

/// Switches to a uniformly random thread after turns of random length.
pub struct Random {
    random: Xoshiro256PlusPlus,
    /// Turns last 1 to this many points, uniformly.
    longest_turn: u64,
}

impl Random {
    #[must_use]
    pub fn new() -> Self {
        Self { random: Xoshiro256PlusPlus::seed_from_u64(0), longest_turn: 1 }
    }

    fn below(&mut self, bound: u64) -> u64 {
        // Lemire's multiplication without its rejection step: the bias is below 2^-32 for such bounds.
        ((u128::from(self.random.next_u64()) * u128::from(bound)) >> 64) as u64
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}

impl Strategy for Random {
    fn begin(&mut self, seed: u64, expected_points: u64) {
        self.random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let scale = LONGEST_SCALE + self.below(TURN_SCALES);
        self.longest_turn = (expected_points >> scale).max(SHORTEST_TURNS);
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        let points = 1 + self.below(self.longest_turn) as u32;
        let time_out =
            !decision.sleeping.is_empty() && (decision.runnable.is_empty() || self.below(TIME_OUT_ODDS) == 0);
        if time_out {
            let index = self.below(decision.sleeping.len() as u64) as usize;
            return Ok(Turn { thread: decision.sleeping[index].thread, points });
        }
        let others = decision.runnable;
        let mut thread = others.at(self.below(others.len() as u64) as usize);
        if decision.yielding && decision.current == Some(thread) {
            thread = others.after(thread).unwrap_or(thread);
        }
        Ok(Turn { thread, points })
    }

    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence> {
        Ok(self.below(waiters.len() as u64) as usize)
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        Ok(inject_at_random(options, |bound| self.below(bound)))
    }
}
