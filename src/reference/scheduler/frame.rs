//! The state of a task between two of its steps.

use std::collections::BTreeMap;

use crate::task_graph::{Affinity, ObjectId, TaskGraph, TaskId};

/// Whoever owns the frame is the only one inside the task.
pub(super) struct Frame {
    pub task: TaskId,
    /// Where the task runs from here on; `Hop` changes it.
    pub affinity: Affinity,
    pub begun: bool,
    pub accumulator: i64,
    /// Index of the current operation.
    pub operation: usize,
    /// Whether the current operation was called. If so, being resumed means that it returns.
    pub called: bool,
    /// What the current operation gives, filled in by who lets the task go on: the value received, whether
    /// the value was sent, the winner's position.
    pub given: i64,
    /// Started children whose handles the task holds.
    pub handles: Vec<TaskId>,
    /// Mutexes that the task holds, in the order in which it got them.
    pub guards: Vec<ObjectId>,
    /// The phase of the last arrival, by barrier.
    pub tickets: BTreeMap<ObjectId, u64>,
    /// The branches that the task is in, the innermost last.
    pub branches: Vec<Branch>,
}

/// A branch, and what its context holds.
pub(super) enum Branch {
    /// On the main thread, which keeps its context.
    Main,
    Fresh(i64),
}

impl Frame {
    pub fn new(graph: &TaskGraph, task: TaskId) -> Self {
        Self {
            task,
            affinity: graph.tasks[task as usize].affinity,
            begun: false,
            accumulator: 0,
            operation: 0,
            called: false,
            given: 0,
            handles: vec![],
            guards: vec![],
            tickets: BTreeMap::new(),
            branches: vec![],
        }
    }

    /// Takes a handle out of those that the task holds.
    ///
    /// # Panics
    /// If the task does not hold it: the task graph is not valid.
    pub fn take_handle(&mut self, child: TaskId) -> TaskId {
        let held = self.handles.iter().position(|&handle| handle == child);
        self.handles.swap_remove(held.expect("only a handle that the task holds can be given up"))
    }
}
