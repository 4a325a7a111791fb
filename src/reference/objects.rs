//! The sequential specification of the shared objects: what each operation does when nothing else happens.

use std::collections::{HashMap, VecDeque};

use crate::program::{self, CLOSED, EventReset, ObjectId, Operation, TaskId};

/// The shared objects of a program between two operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objects {
    /// Who holds each mutex.
    mutexes: Vec<Option<TaskId>>,
    /// Permits left.
    semaphores: Vec<u64>,
    events: Vec<Event>,
    /// Arrivals until each latch opens.
    latches: Vec<u32>,
    barriers: Vec<Barrier>,
    channels: Vec<Channel>,
    /// The phase that a task arrived at last, by barrier.
    tickets: HashMap<(TaskId, ObjectId), u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Event {
    reset: EventReset,
    set: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Barrier {
    participants: u32,
    phase: u64,
    /// Arrivals at the current phase; fewer than the participants.
    arrived: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Channel {
    capacity: usize,
    values: VecDeque<i64>,
    closed: bool,
}

impl Objects {
    /// The objects as a program finds them.
    #[must_use]
    pub fn new(objects: &program::Objects) -> Self {
        let barrier = |&participants: &u32| Barrier { participants, phase: 0, arrived: 0 };
        let channel = |&capacity: &u32| Channel { capacity: capacity as usize, values: VecDeque::new(), closed: false };
        Self {
            mutexes: vec![None; objects.mutexes as usize],
            semaphores: objects.semaphores.iter().copied().map(u64::from).collect(),
            events: objects.events.iter().map(|&reset| Event { reset, set: false }).collect(),
            latches: objects.latches.clone(),
            barriers: objects.barriers.iter().map(barrier).collect(),
            channels: objects.channels.iter().map(channel).collect(),
            tickets: HashMap::new(),
        }
    }

    /// Does the operation for the task if it need not wait, and gives its value: what is received, 1 or 0
    /// for a value that was sent or not, else 0. `None`: it has to wait, and nothing changed. Operations
    /// that concern no object give 0.
    pub fn apply(&mut self, task: TaskId, operation: &Operation) -> Option<i64> {
        match *operation {
            Operation::Lock(id) => {
                let holder = &mut self.mutexes[id as usize];
                if holder.is_some() {
                    return None;
                }
                *holder = Some(task);
            }
            Operation::Unlock(id) => self.mutexes[id as usize] = None,
            Operation::Acquire(id) => {
                let permits = &mut self.semaphores[id as usize];
                *permits = permits.checked_sub(1)?;
            }
            Operation::Release(id) => self.semaphores[id as usize] += 1,
            Operation::SetEvent(id) => self.events[id as usize].set = true,
            Operation::ResetEvent(id) => self.events[id as usize].set = false,
            Operation::WaitEvent(id) => {
                let event = &mut self.events[id as usize];
                if !event.set {
                    return None;
                }
                event.set = event.reset == EventReset::Manual;
            }
            Operation::LatchArrive(id) => {
                let left = &mut self.latches[id as usize];
                *left = left.saturating_sub(1);
            }
            Operation::LatchWait(id) if self.latches[id as usize] > 0 => return None,
            Operation::BarrierArrive(id) => {
                let barrier = &mut self.barriers[id as usize];
                self.tickets.insert((task, id), barrier.phase);
                barrier.arrived += 1;
                if barrier.arrived == barrier.participants {
                    barrier.arrived = 0;
                    barrier.phase += 1;
                }
            }
            Operation::BarrierWait(id) => {
                let ticket = self.tickets.get(&(task, id)).copied();
                if ticket == Some(self.barriers[id as usize].phase) {
                    return None;
                }
            }
            Operation::Send(id, value) => {
                let channel = &mut self.channels[id as usize];
                if channel.closed {
                    return Some(0);
                }
                if channel.values.len() == channel.capacity {
                    return None;
                }
                channel.values.push_back(value);
                return Some(1);
            }
            Operation::Receive(id) => {
                let channel = &mut self.channels[id as usize];
                let nothing = channel.closed.then_some(CLOSED);
                return channel.values.pop_front().or(nothing);
            }
            Operation::Close(id) => self.channels[id as usize].closed = true,
            _ => {}
        }
        Some(0)
    }

    /// Gives back every mutex that the task holds, as its failure does.
    pub fn release_all(&mut self, task: TaskId) {
        for holder in &mut self.mutexes {
            if *holder == Some(task) {
                *holder = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects() -> Objects {
        Objects::new(&program::Objects {
            mutexes: 1,
            semaphores: vec![1],
            events: vec![EventReset::Manual, EventReset::Auto],
            latches: vec![2],
            barriers: vec![2],
            channels: vec![1],
            ..program::Objects::default()
        })
    }

    #[test]
    fn a_mutex_has_one_holder_and_a_failure_gives_it_back() {
        let mut objects = objects();
        assert_eq!(objects.apply(1, &Operation::Lock(0)), Some(0));
        assert_eq!(objects.apply(2, &Operation::Lock(0)), None);
        objects.release_all(1);
        assert_eq!(objects.apply(2, &Operation::Lock(0)), Some(0));
    }

    #[test]
    fn an_automatic_event_lets_one_through_and_a_manual_one_all() {
        let mut objects = objects();
        for (event, second) in [(0, Some(0)), (1, None)] {
            assert_eq!(objects.apply(1, &Operation::WaitEvent(event)), None);
            objects.apply(1, &Operation::SetEvent(event));
            assert_eq!(objects.apply(1, &Operation::WaitEvent(event)), Some(0));
            assert_eq!(objects.apply(1, &Operation::WaitEvent(event)), second);
        }
    }

    #[test]
    fn a_barrier_keeps_who_arrived_until_the_others_did() {
        let mut objects = objects();
        objects.apply(1, &Operation::BarrierArrive(0));
        assert_eq!(objects.apply(1, &Operation::BarrierWait(0)), None);
        objects.apply(2, &Operation::BarrierArrive(0));
        assert_eq!(objects.apply(1, &Operation::BarrierWait(0)), Some(0));
        assert_eq!(objects.apply(2, &Operation::BarrierWait(0)), Some(0));
        objects.apply(1, &Operation::BarrierArrive(0));
        assert_eq!(objects.apply(1, &Operation::BarrierWait(0)), None, "the next phase is another");
    }

    #[test]
    fn a_closed_channel_is_drained_before_it_says_so() {
        let mut objects = objects();
        assert_eq!(objects.apply(1, &Operation::Send(0, 7)), Some(1));
        assert_eq!(objects.apply(1, &Operation::Send(0, 8)), None, "full");
        objects.apply(2, &Operation::Close(0));
        assert_eq!(objects.apply(1, &Operation::Send(0, 8)), Some(0));
        assert_eq!(objects.apply(2, &Operation::Receive(0)), Some(7));
        assert_eq!(objects.apply(2, &Operation::Receive(0)), Some(CLOSED));
    }
}
