//! The differential oracle: every value is what the reference computes.
//!
//! What depends on order (who wins, what is received, whether a stop came in time) is taken from the events
//! where the specification allows it; all that follows from it must then be exact, and the outcomes that
//! no order changes must be those of the reference's own run.
//!
//! Where an allocation was made to fail, one operation may fail of that by itself, and what it was to begin then
//! never begins. All that follows must be exact again; only outcomes that it had a part in may be others.

use super::plan::{Plan, Planned};
use super::{Wrong, wrong};
use crate::model::execution::{Event, EventKind};
use crate::model::verdict::{OracleName, Verdict};
use crate::reference::Expectations;
use crate::task_graph::{Begun, CANCELLED, OUT_OF_MEMORY, Operation, Outcome, TaskId, caught, mix};

/// What is computed for a task.
#[derive(Clone, Copy)]
struct Computed {
    accumulator: i64,
    /// The outcome it recorded.
    outcome: Option<Outcome>,
    began: bool,
    /// The operation that was to begin it ran out of memory.
    refused: bool,
    /// Memory that ran out had a part in how it ends.
    spoilt: bool,
    /// The code it is failing with.
    failure: Option<u32>,
    /// A `Cancel` of this task was called, and returned.
    cancel_called: bool,
    cancel_returned: bool,
    /// A stop was asked for that the task must see, before it called the `CheckCancel` that it is in.
    must_stop: bool,
}

const BLANK: Computed = Computed {
    accumulator: 0,
    outcome: None,
    began: false,
    refused: false,
    spoilt: false,
    failure: None,
    cancel_called: false,
    cancel_returned: false,
    must_stop: false,
};

pub(super) struct Differential {
    computed: Vec<Computed>,
    expectations: Expectations,
    /// An allocation was made to fail, and so far nothing has failed of it.
    may_run_out: bool,
    /// Something has.
    ran_out: bool,
    /// What other threads did may be unseen, unless something orders it.
    is_weak: bool,
}

impl Differential {
    /// The executions are under a weak memory model.
    pub fn under_weak_memory(&mut self) {
        self.is_weak = true;
    }

    pub fn new(plan: &Plan, expectations: Expectations) -> Self {
        Self {
            computed: vec![BLANK; plan.tasks.len()],
            expectations,
            may_run_out: false,
            ran_out: false,
            is_weak: false,
        }
    }

    /// Whether an operation failed for want of memory.
    pub fn ran_out(&self) -> bool {
        self.ran_out
    }

    /// `may_run_out`: an allocation was made to fail in what comes.
    pub fn reset(&mut self, may_run_out: bool) {
        self.computed.fill(BLANK);
        self.may_run_out = may_run_out;
        self.ran_out = false;
    }

    /// An event of an operation.
    #[inline]
    pub fn observe(&mut self, plan: &Plan, event: &Event, planned: &Planned) -> Result<(), Wrong> {
        match event.kind {
            EventKind::OperationBegin | EventKind::OperationEnd if planned.plain => same(plan, event, 0),
            EventKind::OperationBegin => self.called(plan, event),
            EventKind::OperationEnd => self.returned(plan, event),
            EventKind::OperationFail => self.failed(plan, event),
            _ => Ok(()),
        }
    }

    /// An event of a task as a whole.
    #[inline]
    pub fn observe_task(&mut self, plan: &Plan, event: &Event) -> Result<(), Wrong> {
        match event.kind {
            EventKind::TaskEnd => {
                let void = plan.task(event).void;
                let value = if void { 0 } else { self.computed[event.task as usize].accumulator };
                same(plan, event, value)?;
                self.ended(plan, event, Outcome::Value(value))
            }
            EventKind::TaskFail => {
                let code = match self.computed[event.task as usize].failure {
                    Some(code) => code,
                    None => self.run_out(plan, event)?,
                };
                same(plan, event, i64::from(code))?;
                self.ended(plan, event, Outcome::Failure(code))
            }
            EventKind::TaskBegin => self.began(plan, event),
            _ => Ok(()),
        }
    }

    fn began(&mut self, plan: &Plan, event: &Event) -> Result<(), Wrong> {
        let computed = &mut self.computed[event.task as usize];
        computed.began = true;
        if computed.refused { Err(differs(plan, event, "a task began whose beginning had failed", "")) } else { Ok(()) }
    }

    fn ended(&mut self, plan: &Plan, event: &Event, outcome: Outcome) -> Result<(), Wrong> {
        let computed = &mut self.computed[event.task as usize];
        computed.outcome = Some(outcome);
        if computed.spoilt {
            return Ok(());
        }
        match self.expectations.outcome(event.task) {
            Some(expected) if expected != outcome => {
                let detail = format!("{outcome:?}, where the reference has {expected:?}");
                Err(differs(plan, event, "an outcome that no order gives", &detail))
            }
            _ => Ok(()),
        }
    }

    fn called(&mut self, plan: &Plan, event: &Event) -> Result<(), Wrong> {
        match *plan.operation(event) {
            Operation::Cancel(child) => self.computed[child as usize].cancel_called = true,
            Operation::CheckCancel if plan.task(event).stoppable => {
                self.computed[event.task as usize].must_stop = self.stop_arrived(plan, event.task);
            }
            Operation::Sleep(_) => return Ok(()),
            _ => {}
        }
        same(plan, event, 0)
    }

    fn returned(&mut self, plan: &Plan, event: &Event) -> Result<(), Wrong> {
        let task = event.task as usize;
        self.spoil(plan, event);
        let value = match *plan.operation(event) {
            Operation::Compute(value) => {
                same(plan, event, 0)?;
                value
            }
            Operation::Await(child) | Operation::AwaitCatch(child) | Operation::Join(child) => {
                let value = self.value_of(plan, event, child)?;
                same(plan, event, value)?;
                value
            }
            Operation::WhenAll(ref children) => {
                same(plan, event, 0)?;
                for &child in children {
                    let value = self.value_of(plan, event, child)?;
                    self.mix(task, value);
                }
                return Ok(());
            }
            Operation::WhenAny(ref children) => {
                if !plan.losers_run_on {
                    self.all_ended(plan, event, children)?;
                }
                let winner = usize::try_from(event.value).ok().and_then(|winner| children.get(winner));
                let Some(&winner) = winner else {
                    let detail = format!("position {} of {}", event.value, children.len());
                    return Err(differs(plan, event, "a winner that is no child", &detail));
                };
                self.mix(task, event.value);
                self.value_of(plan, event, winner)?
            }
            Operation::Receive(_) => event.value,
            // Checked where they belong: times, and what a channel says.
            Operation::Sleep(_) | Operation::Send(..) | Operation::Call(_) => return Ok(()),
            Operation::Throw(_) => return Err(differs(plan, event, "a throw returned", "")),
            Operation::CheckCancel if self.computed[task].must_stop && !self.is_weak => {
                return Err(differs(plan, event, "a stop was not seen", "it was asked for before"));
            }
            Operation::Cancel(child) => {
                self.computed[child as usize].cancel_returned = true;
                return same(plan, event, 0);
            }
            _ => return same(plan, event, 0),
        };
        self.mix(task, value);
        Ok(())
    }

    fn failed(&mut self, plan: &Plan, event: &Event) -> Result<(), Wrong> {
        let task = event.task as usize;
        self.spoil(plan, event);
        let code = match *plan.operation(event) {
            _ if self.fails_by_itself(plan, event) => self.run_out(plan, event)?,
            Operation::Throw(code) => code,
            Operation::CheckCancel => {
                if !self.stop_possible(plan, event.task) {
                    return Err(differs(plan, event, "cancelled without a stop", "nobody can have asked for one yet"));
                }
                CANCELLED
            }
            Operation::Await(child) | Operation::AwaitCatch(child) | Operation::Join(child) => {
                self.failure_of(plan, event, child)?
            }
            Operation::WhenAll(ref children) => {
                self.all_ended(plan, event, children)?;
                let first = children.iter().find_map(|&child| self.code_of(child));
                let Some(code) = first else {
                    return Err(differs(plan, event, "a failure out of nowhere", "no child failed"));
                };
                code
            }
            Operation::WhenAny(ref children) => {
                if !plan.losers_run_on {
                    self.all_ended(plan, event, children)?;
                }
                let seen = children
                    .iter()
                    .find_map(|&child| self.code_of(child).filter(|&code| i64::from(code) == event.value));
                let Some(code) = seen else {
                    let detail = format!("no child failed with {}", event.value);
                    return Err(differs(plan, event, "a failure out of nowhere", &detail));
                };
                code
            }
            _ => {
                let detail = format!("code {}", event.value);
                return Err(differs(plan, event, "an operation failed that cannot", &detail));
            }
        };
        same(plan, event, i64::from(code))?;
        if matches!(plan.operation(event), Operation::AwaitCatch(_)) {
            self.mix(task, caught(code));
        } else {
            self.computed[task].failure = Some(code);
        }
        Ok(())
    }

    /// Whether an operation failed as one that ran out of memory, and not because a task did that it waited for.
    fn fails_by_itself(&self, plan: &Plan, event: &Event) -> bool {
        let of_child = |&child: &TaskId| self.code_of(child) == Some(OUT_OF_MEMORY);
        event.value == i64::from(OUT_OF_MEMORY) && !waits_for(plan.operation(event)).iter().any(of_child)
    }

    /// One operation runs out of memory, or a task does before its first one. Gives the code.
    fn run_out(&mut self, plan: &Plan, event: &Event) -> Result<u32, Wrong> {
        if self.ran_out {
            return Err(differs(plan, event, "memory ran out a second time", "one allocation was made to fail"));
        }
        if !self.may_run_out {
            return Err(differs(plan, event, "memory ran out by itself", "no allocation was made to fail"));
        }
        if event.kind == EventKind::OperationFail {
            let operation = plan.operation(event);
            if !needs_memory(operation) {
                return Err(differs(plan, event, "an operation failed that cannot", "it needs no memory"));
            }
            for &child in operation.begins() {
                if self.computed[child as usize].began {
                    let detail = format!("task {child}");
                    return Err(differs(plan, event, "an operation failed that had begun a task", &detail));
                }
                self.computed[child as usize].refused = true;
            }
        }
        self.ran_out = true;
        self.computed[event.task as usize].spoilt = true;
        Ok(OUT_OF_MEMORY)
    }

    /// A task takes part in what spoilt those that it waited for.
    #[inline]
    fn spoil(&mut self, plan: &Plan, event: &Event) {
        if self.ran_out && waits_for(plan.operation(event)).iter().any(|&child| self.computed[child as usize].spoilt) {
            self.computed[event.task as usize].spoilt = true;
        }
    }

    fn mix(&mut self, task: usize, value: i64) {
        let accumulator = &mut self.computed[task].accumulator;
        *accumulator = mix(*accumulator, value);
    }

    fn code_of(&self, child: TaskId) -> Option<u32> {
        match self.computed[child as usize].outcome {
            Some(Outcome::Failure(code)) => Some(code),
            _ => None,
        }
    }

    fn value_of(&self, plan: &Plan, event: &Event, child: TaskId) -> Result<i64, Wrong> {
        match self.computed[child as usize].outcome {
            Some(Outcome::Value(value)) => Ok(value),
            Some(Outcome::Failure(code)) => {
                let detail = format!("task {child} failed with {code}");
                Err(differs(plan, event, "a failure was swallowed", &detail))
            }
            None => Err(too_early(plan, event, child)),
        }
    }

    fn failure_of(&self, plan: &Plan, event: &Event, child: TaskId) -> Result<u32, Wrong> {
        match self.computed[child as usize].outcome {
            Some(Outcome::Failure(code)) => Ok(code),
            Some(Outcome::Value(_)) => {
                let detail = format!("task {child} ended with a value");
                Err(differs(plan, event, "a failure out of nowhere", &detail))
            }
            None => Err(too_early(plan, event, child)),
        }
    }

    fn all_ended(&self, plan: &Plan, event: &Event, children: &[TaskId]) -> Result<(), Wrong> {
        match children.iter().find(|&&child| self.computed[child as usize].outcome.is_none()) {
            Some(&child) => Err(too_early(plan, event, child)),
            None => Ok(()),
        }
    }

    /// Whether a stop may have been asked for that the task sees.
    fn stop_possible(&self, plan: &Plan, task: TaskId) -> bool {
        let mut at = task;
        loop {
            let planned = &plan.tasks[at as usize];
            if !planned.stoppable {
                return false;
            }
            match planned.begun {
                Begun::Root => return false,
                Begun::Started => return self.computed[at as usize].cancel_called,
                // Its stop may come once another child of the group has ended.
                Begun::Raced if self.a_sibling_ended(plan, at) => return true,
                Begun::Raced | Begun::Awaited => at = planned.parent,
            }
        }
    }

    fn a_sibling_ended(&self, plan: &Plan, task: TaskId) -> bool {
        let planned = &plan.tasks[task as usize];
        let group = plan.operation_of(planned.parent, planned.operation).map_or(&[][..], Operation::begins);
        group.iter().any(|&other| other != task && self.computed[other as usize].outcome.is_some())
    }

    /// Whether a stop was certainly asked for, and has come down to the task. Through more than one
    /// `WhenAny` it may still be on its way while the `Cancel` has returned.
    fn stop_arrived(&self, plan: &Plan, task: TaskId) -> bool {
        let mut at = task;
        let mut races = 0;
        while races < 2 {
            let planned = &plan.tasks[at as usize];
            match planned.begun {
                Begun::Root => return false,
                Begun::Started => return self.computed[at as usize].cancel_returned,
                Begun::Raced => races += 1,
                Begun::Awaited => {}
            }
            at = planned.parent;
        }
        false
    }
}

/// The tasks whose outcomes the operation gives.
fn waits_for(operation: &Operation) -> &[TaskId] {
    match operation {
        Operation::Start(_) => &[],
        Operation::Join(child) => std::slice::from_ref(child),
        _ => operation.begins(),
    }
}

/// Whether an operation may fail for want of memory. To give something back takes none: nobody could do anything
/// about it if that failed.
fn needs_memory(operation: &Operation) -> bool {
    !matches!(
        operation,
        Operation::Compute(_)
            | Operation::Throw(_)
            | Operation::CheckCancel
            | Operation::Unlock(_)
            | Operation::Release(_)
            | Operation::LatchArrive(_)
    )
}

#[inline]
fn same(plan: &Plan, event: &Event, expected: i64) -> Result<(), Wrong> {
    if event.value == expected { Ok(()) } else { Err(another(plan, event, expected)) }
}

#[cold]
fn another(plan: &Plan, event: &Event, expected: i64) -> Wrong {
    let what = match event.kind {
        EventKind::TaskEnd => "a wrong result",
        EventKind::TaskFail | EventKind::OperationFail => "a wrong failure",
        _ => "a wrong value",
    };
    differs(plan, event, what, &format!("{}, where the reference has {expected}", event.value))
}

fn differs(plan: &Plan, event: &Event, rule: &str, detail: &str) -> Wrong {
    wrong(plan, event, OracleName::Differential, Verdict::WrongResult, rule, detail)
}

/// Somebody went on although the task it waits for has not ended.
fn too_early(plan: &Plan, event: &Event, child: TaskId) -> Wrong {
    let detail = format!("task {child} has not ended");
    wrong(plan, event, OracleName::Lifecycle, Verdict::Lifecycle, "resumed before what it waits for", &detail)
}

#[cfg(test)]
mod tests;
