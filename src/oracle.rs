//! The oracles: what decides whether an execution was right.
//!
//! A [`Judge`] is built for a task graph once and then judges execution after execution without allocating,
//! since a worker asks it up to hundreds of thousands of times a second. It shows the events one by one to
//! [`lifecycle`], [`differential`], [`invariant`] and [`history`], in this order; the first that objects is
//! right. An execution that stopped before its end goes to [`progress`], unless its events were wrong already.
//! What is left on disk, at the end or by a crash, goes to [`files`].
//!
//! What the oracles conclude is sound: an operation's beginning is recorded before it is called and its end
//! after it returned, a thread may be interrupted between effect and record, and so two operations
//! whose intervals overlap may have happened in either order.

mod differential;
pub mod exit;
mod files;
mod history;
mod invariant;
mod lifecycle;
#[cfg(test)]
mod notation;
mod plan;
mod progress;
pub mod sanitizer;

pub use history::brute_force;

use differential::Differential;
use history::History;
use invariant::Invariant;
use lifecycle::Lifecycle;
use plan::Plan;

use crate::model::execution::{Ending, Event, Execution, ThreadId};
use crate::model::offers::Offers;
use crate::model::verdict::{Failure, Incomparable, Judgement, OracleName, Verdict};
use crate::reference::Expectations;
use crate::task_graph::TaskGraph;

/// Judges the executions of one task graph.
pub struct Judge {
    plan: Plan,
    lifecycle: Lifecycle,
    differential: Differential,
    invariant: Invariant,
    history: History,
}

impl Judge {
    /// A judge of a valid task graph's executions on so many threads.
    #[must_use]
    pub fn new(graph: &TaskGraph, threads: u16, expectations: Expectations) -> Self {
        Self::of_runtime(graph, threads, expectations, &Offers::default())
    }

    /// The same for a runtime that promises less than the bundled one.
    #[must_use]
    pub fn of_runtime(graph: &TaskGraph, threads: u16, expectations: Expectations, offers: &Offers) -> Self {
        let plan = Plan::of(graph, threads, offers);
        Self {
            lifecycle: Lifecycle::new(&plan),
            differential: Differential::new(&plan, expectations),
            invariant: Invariant::new(&plan),
            history: History::new(&plan),
            plan,
        }
    }

    /// The same of executions under a weak memory model.
    #[must_use]
    pub fn under_weak_memory(mut self) -> Self {
        self.history.under_weak_memory();
        self.differential.under_weak_memory();
        self
    }

    /// Says what is wrong with the execution, if anything is. Sanitizer reports are not its concern.
    pub fn judge(&mut self, execution: &Execution) -> Judgement {
        match &execution.ending {
            Ending::Unsupported(what) => {
                return Judgement::Incomparable(Incomparable::UnsupportedPrimitive, what.clone());
            }
            Ending::Diverged { step, why } => {
                return Judgement::Incomparable(Incomparable::Diverged, format!("diverged at step {step}: {why}"));
            }
            Ending::Misused { thread, primitive, how } => return Judgement::Wrong(misused(*thread, primitive, how)),
            Ending::Dangling { thread, primitive, how } => return Judgement::Wrong(dangling(*thread, primitive, how)),
            _ => {}
        }
        if let Err(failure) = self.check(execution) {
            return Judgement::Wrong(*failure);
        }
        match self.history.lost() {
            None => Judgement::Right,
            Some(object) => {
                let why = format!("the calls on {object} overlapped in too many ways");
                Judgement::Incomparable(Incomparable::HistoryTooLong, why)
            }
        }
    }

    fn check(&mut self, execution: &Execution) -> Result<(), Wrong> {
        let plan = &self.plan;
        let events = &execution.events;
        // Where memory ran out, one operation may fail of it, with all that follows from that.
        let ran_out = plan.failing_allocation.is_some_and(|number| execution.allocations >= number);
        self.lifecycle.reset(ran_out);
        self.differential.reset(ran_out);
        self.history.reset();
        for (event, stamp) in events.iter().zip(1..) {
            // It goes first: the others rely on events that name what is there, in the order of the task graph.
            match self.lifecycle.observe(plan, event)? {
                Some(planned) if planned.quiet && event.value == 0 && event.kind.begins_or_ends() => {}
                Some(planned) => {
                    self.differential.observe(plan, event, planned)?;
                    self.invariant.observe(plan, event, planned)?;
                    self.history.observe(plan, events, event, planned, stamp)?;
                }
                None => self.differential.observe_task(plan, event)?,
            }
        }
        self.history.finish(plan, events)?;
        if execution.ending == Ending::Completed {
            self.lifecycle.finish(plan)?;
            return files::check(plan, execution);
        }
        if let Ending::Crashed { .. } = execution.ending {
            // The history ends here; what would have come next is not known, but for what is on disk.
            let Some(aftermath) = &execution.aftermath else { return Ok(()) };
            let holders = files::check_aftermath(plan, aftermath)?;
            self.history.recovered(plan, events, holders)?;
            return files::check(plan, execution);
        }
        // Task graphs from the generator cannot get stuck unless a task failed that others depend on.
        match progress::explain(plan, execution, &self.lifecycle, &mut self.history, self.differential.ran_out()) {
            Some(failure) => Err(Box::new(failure)),
            None => Ok(()),
        }
    }
}

/// Boxed, so that the usual answer, which is made millions of times, stays small.
type Wrong = Box<Failure>;

/// The failure of an execution that a misuse ended.
fn misused(thread: ThreadId, primitive: &str, how: &str) -> Failure {
    let cause = format!("{primitive} {how}");
    let message = format!("thread {thread} called {cause}");
    Failure { verdict: Verdict::Misuse, oracle: OracleName::Primitives, message, cause }
}

/// The failure of an execution that the use of an object ended whose memory is gone.
fn dangling(thread: ThreadId, primitive: &str, how: &str) -> Failure {
    Failure { verdict: Verdict::MemoryError, ..misused(thread, primitive, how) }
}

/// A failure that an oracle's rule found at an event. `rule` and the kind of operation are its cause.
#[cold]
fn wrong(plan: &Plan, event: &Event, oracle: OracleName, verdict: Verdict, rule: &str, detail: &str) -> Wrong {
    let (place, word) = plan.place(event);
    let cause = if word.is_empty() { rule.to_owned() } else { format!("{rule}: {word}") };
    let message = if detail.is_empty() { format!("{place}: {rule}") } else { format!("{place}: {rule}: {detail}") };
    Box::new(Failure { verdict, oracle, message, cause })
}
