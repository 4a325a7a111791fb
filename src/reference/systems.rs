//! What calls on the systems beside the scheduler do apart from their objects: what happens inside a `Resume`,
//! callbacks, and contexts, which belong to threads and branches.

use std::collections::HashMap;

use crate::model::execution::{EventKind, ThreadId};
use crate::task_graph::call::{ArcEvent, Body};
use crate::task_graph::{AccessChecks, Call, TaskId};

/// The main thread, as executions count threads.
const MAIN: ThreadId = 0;

/// What a `Resume` records while it is inside, in order.
#[must_use]
pub fn visit(body: Body, checks: AccessChecks) -> &'static [(EventKind, i64)] {
    const DEEP: [(EventKind, i64); 4] =
        [(EventKind::Entered, 1), (EventKind::Entered, 2), (EventKind::Leaving, 2), (EventKind::Leaving, 1)];
    match body.levels(checks) {
        1 => &[(EventKind::Entered, 1), (EventKind::Leaving, 1)],
        _ => &DEEP,
    }
}

/// What a registry calls back with, exactly once, in a call that gave `gave`.
#[must_use]
pub fn callback(call: &Call, gave: i64) -> Option<i64> {
    let (event, pair) = match *call {
        Call::StartArc(_, pair) => (ArcEvent::Started, pair),
        Call::ProgressArc(_, pair) => (ArcEvent::Progressed, pair),
        Call::CompleteArc(_, pair) => (ArcEvent::Completed, pair),
        Call::CancelArc(_, pair) => (ArcEvent::Cancelled, pair),
        _ => return None,
    };
    (gave > 0).then(|| event.of(pair))
}

/// What the contexts hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contexts {
    /// The one that the main thread keeps.
    main: i64,
    /// The branches of each task, the innermost last. None: of the main thread.
    branches: HashMap<TaskId, Vec<Option<i64>>>,
}

impl Contexts {
    /// Makes the call, if it is one about contexts, for a task that is on that thread, and says what it gives.
    ///
    /// # Panics
    /// If the task is in no branch: the task graph is not valid.
    pub fn apply(&mut self, task: TaskId, thread: ThreadId, call: &Call) -> Option<i64> {
        match *call {
            Call::BeginBranch(_) | Call::NestBranch => self.begin(task, thread),
            Call::EndBranch => self.end(task),
            Call::GetContext => return Some(*self.innermost(task)),
            Call::PutContext(value) => *self.innermost(task) = value,
            _ => return None,
        }
        Some(0)
    }

    /// Ends every branch that the task is in, as its failure does.
    pub fn end_all(&mut self, task: TaskId) {
        self.branches.remove(&task);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.main = 0;
        self.branches.clear();
    }

    fn begin(&mut self, task: TaskId, thread: ThreadId) {
        let fresh = (thread != MAIN).then_some(0);
        self.branches.entry(task).or_default().push(fresh);
    }

    fn end(&mut self, task: TaskId) {
        if let Some(branches) = self.branches.get_mut(&task) {
            branches.pop();
        }
    }

    fn innermost(&mut self, task: TaskId) -> &mut i64 {
        let branch = self.branches.get_mut(&task).and_then(|branches| branches.last_mut());
        branch.expect("only a task in a branch has a context").as_mut().unwrap_or(&mut self.main)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task_graph::Pair;

    fn give(contexts: &mut Contexts, task: TaskId, thread: ThreadId, calls: &[Call]) -> Vec<Option<i64>> {
        calls.iter().map(|call| contexts.apply(task, thread, call)).collect()
    }

    #[test]
    fn the_main_thread_keeps_its_context_and_others_get_fresh_ones() {
        let look = [Call::BeginBranch(0), Call::GetContext, Call::PutContext(5), Call::NestBranch, Call::GetContext];
        let mut contexts = Contexts::default();
        let fresh = give(&mut contexts, 1, 1, &look);
        assert_eq!(fresh, [0, 0, 0, 0, 0].map(Some), "a branch in a branch has a context of its own");
        assert_eq!(give(&mut contexts, 1, 1, &[Call::EndBranch, Call::GetContext]), [0, 5].map(Some));
        let kept = give(&mut contexts, 2, 0, &look);
        assert_eq!(kept, [0, 0, 0, 0, 5].map(Some), "but on the main thread there is one");
        contexts.end_all(2);
        assert_eq!(give(&mut contexts, 3, 0, &look), [0, 5, 0, 0, 5].map(Some));
    }

    #[test]
    fn only_what_changed_an_arc_is_called_back() {
        let pair = Pair { a: 1, b: 2 };
        assert_eq!(callback(&Call::StartArc(0, pair), 1), Some(ArcEvent::Started.of(pair)));
        assert_eq!(callback(&Call::StartArc(0, pair), 0), None);
        assert_eq!(callback(&Call::ProgressArc(0, pair), 3), Some(ArcEvent::Progressed.of(pair)));
        assert_eq!(callback(&Call::ProgressArc(0, pair), -1), None);
        assert_eq!(callback(&Call::ActiveArcs(0), 1), None);
    }
}
