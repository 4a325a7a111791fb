//! The oracle of promises that are not about the order of calls: timers, callbacks and contexts.
//!
//! They are exact, since all that they compare happens in one task, or on one thread.

mod callbacks;
mod contexts;
mod timers;

use super::plan::Plan;
use super::{Wrong, wrong};
use crate::execution::{Event, EventKind};
use crate::finding::{OracleName, Verdict};
use crate::program::Operation;
use callbacks::Callbacks;
use contexts::ThreadContexts;
use timers::Timers;

pub(super) struct Invariant {
    timers: Timers,
    callbacks: Callbacks,
    contexts: ThreadContexts,
}

impl Invariant {
    pub fn new(plan: &Plan) -> Self {
        Self { timers: Timers::new(plan), callbacks: Callbacks::new(plan), contexts: ThreadContexts::default() }
    }

    pub fn reset(&mut self) {
        // The others are written at a beginning before they are read at an end.
        self.contexts.reset();
    }

    #[inline]
    pub fn observe(&mut self, plan: &Plan, event: &Event) -> Result<(), Wrong> {
        if !event.kind.is_of_operation() {
            return Ok(());
        }
        match (event.kind, plan.operation(event)) {
            (EventKind::OperationBegin, Operation::Sleep(_)) => self.timers.called(event),
            (EventKind::OperationEnd, &Operation::Sleep(time)) => return self.timers.returned(plan, event, time),
            (EventKind::OperationBegin, Operation::Call(_)) => self.callbacks.called(event),
            (EventKind::OperationEnd, Operation::Call(call)) => {
                self.callbacks.returned(plan, event, call)?;
                return self.contexts.returned(plan, event, call);
            }
            (EventKind::OperationFail, operation) if !matches!(operation, Operation::AwaitCatch(_)) => {
                self.contexts.failed(event);
            }
            (EventKind::Callback, operation) => return self.callbacks.called_back(plan, event, operation),
            _ => {}
        }
        Ok(())
    }
}

fn broken(plan: &Plan, event: &Event, rule: &str, detail: &str) -> Wrong {
    wrong(plan, event, OracleName::Invariant, Verdict::Invariant, rule, detail)
}
