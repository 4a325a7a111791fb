//! Partial order sampling: random priorities for operations, drawn anew where operations race.
//!
//! Yuan, Yang, Gu: "Partial Order Aware Concurrency Sampling" (CAV 2018). Each pending operation has a random
//! priority, and the highest is made. The pending operations that race with it get new priorities, so that the two
//! orders of each pair are about equally likely however many operations lie between. Here operations race if they are
//! on the same object and not both reads; a pause or yield goes after everything that is not one.
#![forbid(unsafe_code)]

use super::priorities::{Priorities, Rank};
use super::{Decision, Dice, Divergence, Strategy, Turn, inject_at_random};
use crate::execution::ThreadId;
use crate::schedule::Injection;

/// Makes the pending operation of the highest priority.
pub struct Pos {
    dice: Dice,
    priorities: Priorities,
}

impl Pos {
    #[must_use]
    pub fn new() -> Self {
        Self { dice: Dice::new(0), priorities: Priorities::new() }
    }
}

impl Default for Pos {
    fn default() -> Self {
        Self::new()
    }
}

impl Strategy for Pos {
    fn begin(&mut self, seed: u64, _expected_points: u64) {
        self.dice = Dice::new(seed);
        self.priorities.begin(&mut self.dice);
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        let thread = self.priorities.highest(decision, &mut self.dice, |_| Rank::Usual);
        self.priorities.made(thread, decision);
        Ok(Turn { thread, points: 1 })
    }

    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence> {
        Ok(self.dice.below(waiters.len() as u64) as usize)
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        Ok(inject_at_random(options, |bound| self.dice.below(bound)))
    }
}
