//! Partial order sampling: random priorities for operations, drawn anew where operations race.
//!
//! Yuan, Yang, Gu: "Partial Order Aware Concurrency Sampling" (CAV 2018). Each pending operation has a random
//! priority, and the highest is made. The pending operations that race with it get new priorities, so that the two
//! orders of each pair are about equally likely however many operations lie between. Here operations race if they are
//! on the same object and not both reads; a pause or yield goes after everything that is not one. And in every other
//! execution all threads are created first: else most have ended before the last one begins, if there are many.

use super::priorities::{Priorities, Rank};
use super::{Decision, Dice, Divergence, Strategy, Turn};
use crate::model::execution::ThreadId;
use crate::model::op::{Op, OpKind};
use crate::model::schedule::Injection;

/// One execution in so many creates all threads first.
const CREATION_FIRST_ODDS: u64 = 2;

/// Makes the pending operation of the highest priority.
pub struct Pos {
    dice: Dice,
    priorities: Priorities,
    creation_first: bool,
}

impl Pos {
    #[must_use]
    pub fn new() -> Self {
        Self { dice: Dice::new(0), priorities: Priorities::new(), creation_first: false }
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
        self.creation_first = self.dice.one_in(CREATION_FIRST_ODDS);
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        let first = self.creation_first;
        let rank = |pending: &Op| match pending.kind {
            OpKind::ThreadCreate if first => Rank::Wanted,
            _ => Rank::Usual,
        };
        Ok(self.priorities.turn(decision, &mut self.dice, rank))
    }

    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence> {
        Ok(self.dice.index(waiters.len()))
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        Ok(self.dice.injection(options))
    }
}
