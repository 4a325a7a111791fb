//! Which executions have their behaviour looked at, for what is said of it at the end of a campaign.
//!
//! To look at one costs a call at each of its scheduling points, so it is done in the first ones and then in a few. Which ones
//! is known by their numbers alone, so that it does not depend on who executes them.

use std::ops::ControlFlow;

use super::Runner;

/// So many of a cell are looked at in any case, so that a short campaign has an estimate as well.
const FIRST: u64 = 64;
/// Then one in so many, as long as there are few.
const EVERY: u64 = 32;
const FEW: u64 = 1_024;
/// And after that: one that is looked at takes several times as long as one that is not.
const EVERY_LATER: u64 = 512;

impl Runner {
    /// Executes, and notes the behaviour of an execution that is to be looked at. A search of all executions does not draw them, so
    /// statistics say nothing of those to come.
    #[inline(always)]
    pub(super) fn looking(
        &mut self,
        execution: u64,
        execute: impl FnOnce(&mut Self) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let every = if execution < FEW { EVERY } else { EVERY_LATER };
        let looks = self.draws && (execution < FIRST || execution.is_multiple_of(every));
        if !looks {
            return execute(self);
        }
        self.session.look_at_behaviour();
        let flow = execute(self);
        if let Some(behaviour) = self.session.take_behaviour() {
            self.tally.outcome.behaviours.see(behaviour);
        }
        flow
    }
}
