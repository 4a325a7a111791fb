//! The tree that a task graph's tasks form: who begins whom, with which operation, and how.

use super::{Operation, TaskGraph, TaskId};

/// How a task comes to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The root, or a task that no operation begins (which [`validate`](super::validate) rejects).
    Root,
    /// Waited for where it is begun: `Await`, `AwaitCatch` and `WhenAll`. It sees its parent's stop.
    Awaited,
    /// By `WhenAny`: waited for, with a stop of its own besides its parent's.
    Raced,
    /// By `Start`, with a stop of its own.
    Started,
}

/// The place of each task of a task graph.
#[derive(Clone, Debug)]
pub struct Tree {
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    begun: Begun,
    parent: TaskId,
    operation: u16,
}

impl Tree {
    /// Reads the tree off a valid task graph.
    #[must_use]
    pub fn of(graph: &TaskGraph) -> Self {
        let root = Place { begun: Begun::Root, parent: 0, operation: 0 };
        let mut places = vec![root; graph.tasks.len()];
        for (parent, task) in graph.tasks.iter().enumerate() {
            for (index, operation) in task.operations.iter().enumerate() {
                let begun = match operation {
                    Operation::WhenAny(_) => Begun::Raced,
                    Operation::Start(_) => Begun::Started,
                    _ => Begun::Awaited,
                };
                for &child in operation.begins() {
                    places[child as usize] = Place { begun, parent: parent as TaskId, operation: index as u16 };
                }
            }
        }
        Self { places }
    }

    /// The same where the losers of a `WhenAny` are not asked to stop: its children see the stop of their parent, and
    /// no other.
    #[must_use]
    pub fn without_races(mut self) -> Self {
        for place in self.places.iter_mut().filter(|place| place.begun == Begun::Raced) {
            place.begun = Begun::Awaited;
        }
        self
    }

    /// How the task is begun.
    #[must_use]
    pub fn begun(&self, task: TaskId) -> Begun {
        self.places[task as usize].begun
    }

    /// The task that begins this one; the root's is itself.
    #[must_use]
    pub fn parent(&self, task: TaskId) -> TaskId {
        self.places[task as usize].parent
    }

    /// The operation of the parent that begins this task.
    #[must_use]
    pub fn operation(&self, task: TaskId) -> u16 {
        self.places[task as usize].operation
    }
}

impl Operation {
    /// The tasks that this operation begins, in order.
    #[must_use]
    pub fn begins(&self) -> &[TaskId] {
        match self {
            Self::Await(child) | Self::AwaitCatch(child) | Self::Start(child) => std::slice::from_ref(child),
            Self::WhenAll(children) | Self::WhenAny(children) => children,
            _ => &[],
        }
    }

    /// Whether a task may be suspended in this operation, and so go on on another thread.
    #[must_use]
    pub fn suspends(&self) -> bool {
        match self {
            Self::Await(_)
            | Self::AwaitCatch(_)
            | Self::WhenAll(_)
            | Self::WhenAny(_)
            | Self::Start(_)
            | Self::Join(_)
            | Self::Hop(_)
            | Self::Yield
            | Self::Sleep(_)
            | Self::Lock(_)
            | Self::Acquire(_)
            | Self::WaitEvent(_)
            | Self::LatchWait(_)
            | Self::BarrierWait(_)
            | Self::Send(..)
            | Self::Receive(_) => true,
            Self::Compute(_)
            | Self::Detach(_)
            | Self::Throw(_)
            | Self::Cancel(_)
            | Self::CheckCancel
            | Self::Unlock(_)
            | Self::Release(_)
            | Self::SetEvent(_)
            | Self::ResetEvent(_)
            | Self::LatchArrive(_)
            | Self::BarrierArrive(_)
            | Self::Close(_)
            | Self::Call(_) => false,
        }
    }
}
