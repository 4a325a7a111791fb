//! What the oracles see of the operations of an execution: a coarse picture of their states.

use super::{Kind, counters, mix};
use crate::model::execution::{Ending, Event, EventKind, Execution};
use crate::task_graph::TaskGraph;

/// Results above this are not told apart.
const LARGEST: i64 = 2;

/// Looks at the executions of one task graph.
pub struct States {
    /// What each operation does, by task.
    codes: Vec<Vec<u64>>,
    /// The place in the events where each task's operation under way began, and the operations that had ended then.
    begun: Vec<(usize, u64)>,
}

impl States {
    #[must_use]
    pub fn of(graph: &TaskGraph) -> Self {
        let codes =
            graph.tasks.iter().map(|task| task.operations.iter().map(|operation| operation.code().into()).collect());
        Self { codes: codes.collect(), begun: vec![(0, 0); graph.tasks.len()] }
    }

    /// Marks the counters of what happened.
    pub fn look(&mut self, execution: &Execution) {
        let mut last = 0;
        for (place, event) in execution.events.iter().enumerate() {
            let Some(code) = self.code(event) else { continue };
            match event.kind {
                EventKind::OperationBegin => self.begun[event.task as usize] = (place, last),
                EventKind::OperationEnd | EventKind::OperationFail | EventKind::Entered => {
                    let (begin, before) = self.begun[event.task as usize];
                    let moved = execution.events[begin].thread != event.thread;
                    let gave = mix(event.kind as u64, event.value.clamp(-1, LARGEST) as u64);
                    // Whether something else ended in between, and what did so last: the operation overlapped with it.
                    let overlapped = if before == last { 0 } else { last };
                    let seen = mix(mix(mix(code, gave), overlapped), moved.into());
                    counters::mark(Kind::Oracles.counter(seen));
                    last = mix(code, gave);
                }
                _ => {}
            }
        }
        counters::mark(Kind::Oracles.counter(mix(ending(&execution.ending), u64::MAX)));
    }

    /// What the operation of an event does; `None` for events of a whole task, and for tasks and operations that the task
    /// graph does not have, which a broken target may name.
    fn code(&self, event: &Event) -> Option<u64> {
        let of_operation = event.kind.is_of_operation();
        let operations = self.codes.get(event.task as usize).filter(|_| of_operation)?;
        operations.get(usize::from(event.operation)).copied()
    }
}

fn ending(ending: &Ending) -> u64 {
    match ending {
        Ending::Completed => 0,
        Ending::Stuck(threads) => 16 + threads.len() as u64,
        Ending::OutOfSteps(_) | Ending::TooLong(_) => 1,
        Ending::Unsupported(_) => 2,
        Ending::Diverged { .. } => 3,
        Ending::TooManyEvents => 4,
        Ending::Crashed { .. } => 5,
        Ending::Exited(_) => 6,
        Ending::Misused { .. } => 7,
        Ending::Dangling { .. } => 8,
    }
}
