//! A `Resume` is two calls: it *enters* from its beginning until it is inside or refused, and *leaves* from
//! the last moment inside to its end. Between, the task is on one thread and does nothing else.

use super::super::plan::Plan;
use super::super::{Wrong, wrong};
use super::window::Found;
use super::{History, caller};
use crate::model::execution::{Event, EventKind};
use crate::model::verdict::{OracleName, Verdict};
use crate::reference::sequential::Action;
use crate::task_graph::{Call, Operation};

/// How deep a task is in the processor that it resumes, and has been.
#[derive(Clone, Copy, Default)]
pub(super) struct Resuming {
    depth: i64,
    deepest: i64,
}

impl History {
    /// An event of a `Resume`. The outer error is an event that is out of step with the body.
    pub(super) fn resumed(
        &mut self,
        plan: &Plan,
        event: &Event,
        object: u32,
        stamp: u32,
    ) -> Result<Result<(), Found>, Wrong> {
        let levels = match *plan.operation(event) {
            Operation::Call(Call::Resume(id, body)) => body.levels(plan.objects.processors[id as usize]),
            _ => 1,
        };
        let Resuming { depth, deepest } = self.resumes[event.task as usize];
        match event.kind {
            EventKind::OperationBegin => {
                self.resumes[event.task as usize] = Resuming::default();
                self.called(event, object, Action::Enter, stamp);
                Ok(Ok(()))
            }
            EventKind::Entered => {
                if depth != deepest || depth == levels || event.value != depth + 1 {
                    return Err(out_of_step(plan, event, &format!("it entered depth {}", event.value)));
                }
                self.resumes[event.task as usize] = Resuming { depth: depth + 1, deepest: depth + 1 };
                if depth > 0 {
                    return Ok(Ok(()));
                }
                self.inside[object as usize] += 1;
                let seen = self.returned(event, object, Action::Enter, 1, stamp);
                Ok(seen.and_then(|()| self.alone(object)))
            }
            EventKind::Leaving => {
                if depth == 0 || event.value != depth {
                    return Err(out_of_step(plan, event, &format!("it left depth {}", event.value)));
                }
                self.resumes[event.task as usize].depth -= 1;
                if depth == 1 {
                    self.inside[object as usize] -= 1;
                    self.calls[event.task as usize] =
                        self.tracks[object as usize].called(caller(event), Action::Leave, stamp);
                }
                Ok(Ok(()))
            }
            EventKind::OperationFail => {
                if depth > 0 {
                    return Err(out_of_step(plan, event, &format!("it failed at depth {depth}")));
                }
                // It ran out of memory inside, or before it was told whether it got in.
                let inside = deepest > 0;
                Ok(if inside {
                    self.returned(event, object, Action::Leave, 0, stamp)
                } else {
                    self.withdrawn(event, object)
                })
            }
            _ => {
                let in_part = deepest > 0 && deepest != levels;
                if depth > 0 || in_part || event.value != deepest.min(1) {
                    let detail = format!("it gave {} after entering depth {deepest}", event.value);
                    return Err(out_of_step(plan, event, &detail));
                }
                if deepest > 0 {
                    return Ok(self.returned(event, object, Action::Leave, 0, stamp));
                }
                Ok(self.returned(event, object, Action::Enter, 0, stamp))
            }
        }
    }

    /// Two at once between `Entered` and `Leaving` are wrong whatever comes next, and may do damage that
    /// others would notice first.
    fn alone(&mut self, object: u32) -> Result<(), Found> {
        match &mut self.search {
            Some(search) if self.inside[object as usize] > 1 => self.tracks[object as usize].check(search),
            _ => Ok(()),
        }
    }
}

#[cold]
pub(super) fn out_of_step(plan: &Plan, event: &Event, detail: &str) -> Wrong {
    wrong(plan, event, OracleName::History, Verdict::WrongHistory, "a resume out of step", detail)
}
