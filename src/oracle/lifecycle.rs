//! The oracle of task lifecycles: every task runs once, in the order of its operations, to its end, on the
//! right thread, by one thread at a time, and its frame is destroyed exactly once.

use super::plan::{NONE, Plan};
use super::{Wrong, wrong};
use crate::execution::{Event, EventKind, ThreadId};
use crate::finding::{OracleName, Verdict};
use crate::program::{Affinity, Operation};

/// Where a task is, as far as its events tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Unborn,
    /// It has a frame and has not begun.
    Made,
    /// Before an operation, or before its end.
    Between,
    /// Inside an operation.
    Inside,
    /// An operation failed and so does the task.
    Failing,
    Ended,
}

/// What is known of a task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub stage: Stage,
    pub freed: bool,
    /// Where it may run from here on.
    affinity: Affinity,
    /// The operation it is in or before.
    pub next: u16,
    /// Where it was last seen.
    pub thread: ThreadId,
}

pub(super) struct Lifecycle {
    pub lives: Vec<Life>,
    unborn: Vec<Life>,
    /// Tasks with a frame, now.
    frames: u32,
    /// A task was destroyed in the middle, which only the shutdown does.
    shut: bool,
}

impl Lifecycle {
    pub fn new(plan: &Plan) -> Self {
        let unborn: Vec<Life> = plan
            .tasks
            .iter()
            .map(|task| Life { stage: Stage::Unborn, freed: false, affinity: task.affinity, next: 0, thread: 0 })
            .collect();
        Self { lives: unborn.clone(), unborn, frames: 0, shut: false }
    }

    pub fn reset(&mut self) {
        self.lives.copy_from_slice(&self.unborn);
        self.frames = 0;
        self.shut = false;
    }

    pub fn observe(&mut self, plan: &Plan, event: &Event) -> Result<(), Wrong> {
        let Some(life) = self.lives.get(event.task as usize).copied() else {
            return Err(broken(plan, event, "an event of a task that does not exist"));
        };
        match event.kind {
            EventKind::FrameMade => self.made(plan, event, life),
            EventKind::FrameFreed => self.freed(plan, event, life),
            _ => self.body(plan, event, life),
        }
    }

    fn made(&mut self, plan: &Plan, event: &Event, life: Life) -> Result<(), Wrong> {
        if life.stage != Stage::Unborn {
            return Err(broken(plan, event, "a second frame for one task"));
        }
        let task = plan.task(event);
        let parent = self.lives[task.parent as usize];
        if event.task != 0 && !(parent.stage == Stage::Inside && parent.next == task.operation) {
            return Err(broken(plan, event, "a frame made outside the operation that begins the task"));
        }
        let life = &mut self.lives[event.task as usize];
        life.stage = Stage::Made;
        self.frames += 1;
        Ok(())
    }

    fn freed(&mut self, plan: &Plan, event: &Event, life: Life) -> Result<(), Wrong> {
        if life.freed {
            let rule = "a frame destroyed twice";
            return Err(wrong(plan, event, OracleName::Lifecycle, Verdict::FrameLeak, rule, ""));
        }
        match life.stage {
            Stage::Unborn => return Err(broken(plan, event, "a frame destroyed that was never made")),
            Stage::Ended => {}
            Stage::Between | Stage::Failing => return Err(broken(plan, event, "a frame destroyed while its task runs")),
            Stage::Made | Stage::Inside => {
                if life.stage == Stage::Inside && !self.inside(plan, event, life).1 {
                    return Err(broken(plan, event, "a frame destroyed while its task runs"));
                }
                if self.lives[0].stage != Stage::Ended {
                    return Err(broken(plan, event, "a frame destroyed before its task ended"));
                }
                self.shut = true;
            }
        }
        self.lives[event.task as usize].freed = true;
        self.frames -= 1;
        Ok(())
    }

    /// The operation that a task is inside of, and whether it may be suspended there.
    fn inside<'a>(&self, plan: &'a Plan, event: &Event, life: Life) -> (&'a Operation, bool) {
        let planned = &plan.operations[plan.task(event).first as usize + usize::from(life.next)];
        (&planned.operation, planned.suspends)
    }

    fn body(&mut self, plan: &Plan, event: &Event, life: Life) -> Result<(), Wrong> {
        if self.shut {
            return Err(broken(plan, event, "a task ran on after the shutdown"));
        }
        if life.freed {
            return Err(broken(plan, event, "a task ran on after its frame was destroyed"));
        }
        let task = plan.task(event);
        let mut changed = life;
        // Between two events of a task only a suspension lets it change threads.
        let mut may_move = false;
        match (event.kind, life.stage) {
            (EventKind::TaskBegin, Stage::Made) => {
                may_move = true;
                changed.stage = Stage::Between;
            }
            (EventKind::OperationBegin, Stage::Between) => {
                if event.operation != life.next || event.operation >= task.count {
                    return Err(broken(plan, event, "an operation out of order"));
                }
                changed.stage = Stage::Inside;
            }
            (EventKind::OperationEnd | EventKind::OperationFail, Stage::Inside) => {
                if event.operation != life.next {
                    return Err(broken(plan, event, "an operation returned that was not called"));
                }
                let (operation, suspends) = self.inside(plan, event, life);
                may_move = suspends;
                let caught = matches!(operation, Operation::AwaitCatch(_));
                if event.kind == EventKind::OperationFail && !caught {
                    changed.stage = Stage::Failing;
                } else {
                    changed.stage = Stage::Between;
                    changed.next += 1;
                    if let Operation::Hop(affinity) = *operation {
                        changed.affinity = affinity;
                    }
                }
            }
            (EventKind::TaskEnd, Stage::Between) => {
                if life.next != task.count {
                    return Err(broken(plan, event, "a task ended before its last operation"));
                }
                changed.stage = Stage::Ended;
            }
            (EventKind::TaskFail, Stage::Failing) => changed.stage = Stage::Ended,
            (EventKind::TaskBegin, Stage::Unborn) => return Err(broken(plan, event, "a task began without a frame")),
            (EventKind::TaskBegin, _) => return Err(broken(plan, event, "a task began twice")),
            (_, Stage::Ended) => return Err(broken(plan, event, "a task ran on after its end")),
            (_, Stage::Unborn | Stage::Made) => return Err(broken(plan, event, "a task ran before its beginning")),
            (EventKind::TaskFail, _) => return Err(broken(plan, event, "a task failed without a failing operation")),
            (EventKind::OperationBegin, Stage::Inside) => {
                return Err(broken(plan, event, "an operation called inside another of its task"));
            }
            _ => return Err(broken(plan, event, "an operation out of order")),
        }
        if event.thread != life.thread && !may_move && life.stage != Stage::Made {
            let detail = format!("thread {} was in it, now thread {}", life.thread, event.thread);
            let rule = "two threads in one task";
            return Err(wrong(plan, event, OracleName::Lifecycle, Verdict::Lifecycle, rule, &detail));
        }
        if event.thread >= plan.threads {
            let detail = format!("thread {} of {}", event.thread, plan.threads);
            let rule = "a thread that nobody asked for";
            return Err(wrong(plan, event, OracleName::Lifecycle, Verdict::Lifecycle, rule, &detail));
        }
        if event.thread != 0 && changed.affinity == Affinity::Main {
            let detail = format!("thread {} ran what only the main thread may run", event.thread);
            let rule = "wrong thread";
            return Err(wrong(plan, event, OracleName::Lifecycle, Verdict::Lifecycle, rule, &detail));
        }
        changed.thread = event.thread;
        self.lives[event.task as usize] = changed;
        Ok(())
    }

    /// What must hold after an execution that came to its end.
    pub fn finish(&self, plan: &Plan) -> Result<(), Wrong> {
        let at_end = |task| Event { value: 0, task, operation: 0, thread: 0, kind: EventKind::TaskEnd };
        if self.lives[0].stage != Stage::Ended {
            return Err(broken(plan, &at_end(0), "the root did not come to its end"));
        }
        if self.frames > 0 {
            let leaked = self.lives.iter().position(|life| life.stage != Stage::Unborn && !life.freed);
            let event = at_end(leaked.map_or(NONE, |task| task as u32));
            let detail = format!("{} frames were not destroyed in all", self.frames);
            let rule = "a frame was never destroyed";
            return Err(wrong(plan, &event, OracleName::Lifecycle, Verdict::FrameLeak, rule, &detail));
        }
        Ok(())
    }
}

fn broken(plan: &Plan, event: &Event, rule: &str) -> Wrong {
    wrong(plan, event, OracleName::Lifecycle, Verdict::Lifecycle, rule, "")
}
