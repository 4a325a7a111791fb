//! The log of a run: its events, in the order in which they happened.

use std::sync::{Mutex, PoisonError};

use super::{MAIN, lock};
use crate::model::execution::{Event, EventKind, ThreadId};
use crate::task_graph::TaskId;

#[derive(Default)]
pub(super) struct Log(Mutex<Vec<Event>>);

impl Log {
    pub fn record(&self, thread: ThreadId, task: TaskId, operation: usize, kind: EventKind, value: i64) {
        lock(&self.0).push(Event { value, task, operation: operation as u16, thread, kind });
    }

    /// The log after the last thread has stopped: frees, once, every frame that was made and is not freed.
    pub fn finish(self, tasks: usize) -> Vec<Event> {
        let mut events = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut pending = vec![false; tasks];
        for event in &events {
            match event.kind {
                EventKind::FrameMade => pending[event.task as usize] = true,
                EventKind::FrameFreed => pending[event.task as usize] = false,
                _ => {}
            }
        }
        let freed = (0..).zip(pending).filter(|&(_, pending)| pending);
        events.extend(freed.map(|(task, _)| Event {
            value: 0,
            task,
            operation: 0,
            thread: MAIN,
            kind: EventKind::FrameFreed,
        }));
        events
    }
}
