//! What of a task graph does not depend on the order in which its tasks run: outcomes that every run must show.

use super::model::Model;
use crate::model::execution::{Event, EventKind};
use crate::task_graph::{Begun, Operation, Outcome, TaskGraph, TaskId, Tree};

/// The outcomes of those tasks that end the same way in every schedule, if they end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectations {
    outcomes: Vec<Option<Outcome>>,
}

impl Expectations {
    /// From one run of the model.
    #[must_use]
    pub fn of(graph: &TaskGraph) -> Self {
        let mut model = Model::new(graph);
        // A task graph written by hand may get stuck; then less is known.
        model.run();
        Self::from_outcomes(graph, |task| model.outcome(task))
    }

    /// From the events of a run that was right, such as one of the reference's scheduler. It agrees with
    /// [`Expectations::of`] on all tasks that ended in both runs.
    #[must_use]
    pub fn from_events(graph: &TaskGraph, events: &[Event]) -> Self {
        let mut outcomes = vec![None; graph.tasks.len()];
        for event in events {
            outcomes[event.task as usize] = match event.kind {
                EventKind::TaskEnd => Some(Outcome::Value(event.value)),
                EventKind::TaskFail => Some(Outcome::Failure(event.value as u32)),
                _ => continue,
            };
        }
        Self::from_outcomes(graph, |task| outcomes[task as usize])
    }

    fn from_outcomes(graph: &TaskGraph, outcome: impl Fn(TaskId) -> Option<Outcome>) -> Self {
        let settled = settled(graph);
        let outcomes = settled.iter().zip(0..).map(|(&settled, task)| if settled { outcome(task) } else { None });
        Self { outcomes: outcomes.collect() }
    }

    /// How the task must end if it ends; `None` if that depends on order or is not known.
    #[must_use]
    pub fn outcome(&self, task: TaskId) -> Option<Outcome> {
        self.outcomes[task as usize]
    }
}

/// Which tasks can be asked to stop.
#[derive(Clone, Debug)]
pub struct Stops {
    reachable: Vec<bool>,
}

impl Stops {
    /// Reads it off a valid task graph.
    #[must_use]
    pub fn of(graph: &TaskGraph, tree: &Tree) -> Self {
        let mut reachable = vec![false; graph.tasks.len()];
        for task in &graph.tasks {
            for operation in &task.operations {
                if let Operation::Cancel(child) = operation {
                    reachable[*child as usize] = true;
                }
            }
        }
        for task in 1..reachable.len() {
            // Parents come first, so theirs is known.
            reachable[task] |= match tree.begun(task as TaskId) {
                Begun::Raced => true,
                Begun::Awaited => reachable[tree.parent(task as TaskId) as usize],
                Begun::Root | Begun::Started => false,
            };
        }
        Self { reachable }
    }

    /// Whether a stop can be asked for that the task sees.
    #[must_use]
    pub fn reach(&self, task: TaskId) -> bool {
        self.reachable[task as usize]
    }
}

/// Whether each task's outcome is the same in every schedule.
fn settled(graph: &TaskGraph) -> Vec<bool> {
    let stops = Stops::of(graph, &Tree::of(graph));
    let mut settled = vec![true; graph.tasks.len()];
    // Children come after their parents, so theirs is known.
    for (task, operations) in graph.tasks.iter().map(|task| &task.operations).enumerate().rev() {
        settled[task] = operations.iter().all(|operation| match operation {
            Operation::WhenAny(_) | Operation::Receive(_) => false,
            Operation::CheckCancel => !stops.reach(task as TaskId),
            // Whether it fails does not show here.
            Operation::Start(_) => true,
            Operation::Join(child) => settled[*child as usize],
            _ => operation.begins().iter().all(|&child| settled[child as usize]),
        });
    }
    settled
}
