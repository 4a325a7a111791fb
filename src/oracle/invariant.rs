//! The oracle of promises that are not about the order of calls: timers and callbacks.
//!
//! It is exact, since all that it compares happens in one task.

mod callbacks;
mod timers;

use super::plan::{Plan, Planned};
use super::{Wrong, wrong};
use crate::model::execution::{Event, EventKind};
use crate::model::verdict::{OracleName, Verdict};
use crate::task_graph::Operation;
use callbacks::Callbacks;
use timers::Timers;

/// What is kept is written at a beginning before it is read at an end, so there is nothing to reset.
pub(super) struct Invariant {
    timers: Timers,
    callbacks: Callbacks,
}

impl Invariant {
    pub fn new(plan: &Plan) -> Self {
        Self { timers: Timers::new(plan), callbacks: Callbacks::new(plan) }
    }

    #[inline]
    pub fn observe(&mut self, plan: &Plan, event: &Event, planned: &Planned) -> Result<(), Wrong> {
        if !planned.promises && event.kind != EventKind::Callback {
            return Ok(());
        }
        match (event.kind, &planned.operation) {
            (EventKind::OperationBegin, Operation::Sleep(_)) => self.timers.called(event),
            (EventKind::OperationEnd, &Operation::Sleep(time)) => return self.timers.returned(plan, event, time),
            (EventKind::OperationBegin, Operation::Call(_)) => self.callbacks.called(event),
            (EventKind::OperationEnd, Operation::Call(call)) => {
                return self.callbacks.returned(plan, event, call);
            }
            (EventKind::OperationFail, Operation::Call(_)) => return self.callbacks.failed(plan, event),
            (EventKind::Callback, operation) => return self.callbacks.called_back(plan, event, operation),
            _ => {}
        }
        Ok(())
    }
}

fn broken(plan: &Plan, event: &Event, rule: &str, detail: &str) -> Wrong {
    wrong(plan, event, OracleName::Invariant, Verdict::Invariant, rule, detail)
}
