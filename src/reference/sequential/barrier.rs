//! The barrier.

use std::fmt::{self, Display, Formatter};

use crate::task_graph::TaskId;

/// Lets the tasks that arrived go on once all of a phase did.
///
/// Which phase it is nobody can tell, so that is left out: two barriers that behave alike are equal.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Barrier {
    participants: u32,
    /// Arrivals at the current phase; fewer than the participants.
    arrived: u32,
    /// The tasks whose last arrival was at the current phase, in order, each once.
    here: Vec<TaskId>,
}

impl Barrier {
    #[must_use]
    pub fn new(participants: u32) -> Self {
        Self { participants, arrived: 0, here: vec![] }
    }

    pub fn arrive(&mut self, task: TaskId) -> Option<i64> {
        self.arrived += 1;
        if self.arrived == self.participants {
            self.arrived = 0;
            self.here.clear();
        } else if let Err(place) = self.here.binary_search(&task) {
            self.here.insert(place, task);
        }
        Some(0)
    }

    /// Has to wait until the phase of the task's last arrival is complete.
    pub fn wait(&mut self, task: TaskId) -> Option<i64> {
        self.here.binary_search(&task).is_err().then_some(0)
    }
}

impl Clone for Barrier {
    fn clone(&self) -> Self {
        Self { here: self.here.clone(), ..*self }
    }

    fn clone_from(&mut self, source: &Self) {
        self.participants = source.participants;
        self.arrived = source.arrived;
        self.here.clone_from(&source.here);
    }
}

impl Display for Barrier {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "a barrier that {} of {} have arrived at", self.arrived, self.participants)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_barrier_keeps_who_arrived_until_the_others_did() {
        let mut barrier = Barrier::new(2);
        barrier.arrive(1);
        assert_eq!(barrier.wait(1), None);
        barrier.arrive(2);
        assert_eq!(barrier.wait(1), Some(0));
        assert_eq!(barrier.wait(2), Some(0));
        barrier.arrive(1);
        assert_eq!(barrier.wait(1), None, "the next phase is another");
    }
}
