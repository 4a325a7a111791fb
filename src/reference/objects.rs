//! The shared objects of a task graph, one sequential object each.

use super::sequential::{Action, Caller, Object, Places};
use crate::task_graph::{self, Operation, TaskId};

/// The shared objects of a task graph between two operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objects {
    places: Places,
    row: Vec<Object>,
}

impl Objects {
    /// The objects as a task graph finds them.
    #[must_use]
    pub fn new(objects: &task_graph::Objects) -> Self {
        let (places, row) = Places::of(objects);
        Self { places, row }
    }

    /// Does the operation if it need not wait, and gives its value; see [`Object::perform`]. `None`: it has to
    /// wait, and nothing changed. A `Resume` only enters; if that gives 1, [`Objects::leave`] follows.
    /// Operations that concern no object give 0.
    pub fn apply(&mut self, caller: Caller, operation: &Operation) -> Option<i64> {
        match self.places.route(operation) {
            Some((place, action)) => self.row[place].perform(caller, action),
            None => Some(0),
        }
    }

    /// Ends a `Resume` that entered.
    pub fn leave(&mut self, caller: Caller, operation: &Operation) {
        if let Some((place, Action::Enter)) = self.places.route(operation) {
            self.row[place].perform(caller, Action::Leave);
        }
    }

    /// Gives back every mutex that the task holds, as its failure does.
    pub fn release_all(&mut self, task: TaskId) {
        for object in &mut self.row {
            if let Object::Mutex(mutex) = object {
                mutex.abandon(task);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task_graph::EventReset;

    #[test]
    fn operations_reach_the_object_of_their_kind_and_index() {
        let mut objects = Objects::new(&task_graph::Objects {
            mutexes: 2,
            semaphores: vec![0, 1],
            events: vec![EventReset::Manual],
            channels: vec![1],
            ..task_graph::Objects::default()
        });
        let caller = Caller { task: 1, thread: 0 };
        assert_eq!(objects.apply(caller, &Operation::Acquire(0)), None);
        assert_eq!(objects.apply(caller, &Operation::Acquire(1)), Some(0));
        assert_eq!(objects.apply(caller, &Operation::Lock(1)), Some(0));
        assert_eq!(objects.apply(caller, &Operation::Lock(0)), Some(0));
        assert_eq!(objects.apply(caller, &Operation::Lock(1)), None);
        objects.release_all(1);
        assert_eq!(objects.apply(caller, &Operation::Lock(1)), Some(0));
        assert_eq!(objects.apply(caller, &Operation::Send(0, 7)), Some(1));
        assert_eq!(objects.apply(caller, &Operation::Receive(0)), Some(7));
        assert_eq!(objects.apply(caller, &Operation::Yield), Some(0));
    }
}
