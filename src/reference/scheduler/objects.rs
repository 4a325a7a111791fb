//! The objects that tasks share. Each keeps the frames of those that wait for it, in the order they came.

use std::collections::VecDeque;

use super::frame::Frame;
use crate::task_graph::{self, CLOSED, EventReset, ObjectId, Operation};

pub(super) struct Objects {
    mutexes: Vec<Permits>,
    semaphores: Vec<Permits>,
    events: Vec<Event>,
    latches: Vec<Latch>,
    barriers: Vec<Barrier>,
    channels: Vec<Channel>,
}

/// Frames in the order in which they came.
type Line = VecDeque<Frame>;

/// Permits to take and give back. A mutex is one permit.
struct Permits {
    free: u64,
    /// Not empty only while none is free.
    waiting: Line,
}

struct Event {
    reset: EventReset,
    set: bool,
    /// Not empty only while it is not set.
    waiting: Line,
}

struct Latch {
    missing: u32,
    waiting: Line,
}

struct Barrier {
    participants: u32,
    /// Arrivals until the phase is complete; never 0 between operations.
    missing: u32,
    phase: u64,
    /// They all wait for the current phase.
    waiting: Line,
}

struct Channel {
    capacity: usize,
    values: VecDeque<i64>,
    closed: bool,
    /// With what they send. Not empty only while the channel is full and open.
    senders: VecDeque<(Frame, i64)>,
    /// Not empty only while the channel is empty and open.
    receivers: Line,
}

impl Objects {
    pub fn new(objects: &task_graph::Objects) -> Self {
        let permits = |free| Permits { free, waiting: Line::new() };
        Self {
            mutexes: (0..objects.mutexes).map(|_| permits(1)).collect(),
            semaphores: objects.semaphores.iter().map(|&free| permits(u64::from(free))).collect(),
            events: objects.events.iter().map(|&reset| Event { reset, set: false, waiting: Line::new() }).collect(),
            latches: objects.latches.iter().map(|&missing| Latch { missing, waiting: Line::new() }).collect(),
            barriers: objects.barriers.iter().map(|&participants| Barrier::new(participants)).collect(),
            channels: objects.channels.iter().map(|&capacity| Channel::new(capacity)).collect(),
        }
    }

    /// Calls an operation on an object. Gives the frame back if its task goes on at once, and adds the
    /// frames of those that the call lets go on to `woken`.
    ///
    /// # Panics
    /// If there is no such object: the task graph is not valid.
    pub fn call(&mut self, operation: &Operation, mut frame: Frame, woken: &mut Vec<Frame>) -> Option<Frame> {
        match *operation {
            Operation::Lock(id) => return self.mutexes[id as usize].take(frame),
            Operation::Acquire(id) => return self.semaphores[id as usize].take(frame),
            Operation::WaitEvent(id) => return self.events[id as usize].wait(frame),
            Operation::LatchWait(id) => return self.latches[id as usize].wait(frame),
            Operation::BarrierWait(id) => return self.barriers[id as usize].wait(id, frame),
            Operation::Send(id, value) => return self.channels[id as usize].send(frame, value, woken),
            Operation::Receive(id) => return self.channels[id as usize].receive(frame, woken),
            Operation::Unlock(id) => {
                frame.guards.retain(|&held| held != id);
                self.unlock(id, woken);
            }
            Operation::Release(id) => self.semaphores[id as usize].give(woken),
            Operation::SetEvent(id) => self.events[id as usize].set(woken),
            Operation::ResetEvent(id) => self.events[id as usize].set = false,
            Operation::LatchArrive(id) => self.latches[id as usize].arrive(woken),
            Operation::BarrierArrive(id) => {
                let phase = self.barriers[id as usize].arrive(woken);
                frame.tickets.insert(id, phase);
            }
            Operation::Close(id) => self.channels[id as usize].close(woken),
            _ => unreachable!("{operation:?} is not about an object"),
        }
        Some(frame)
    }

    pub fn unlock(&mut self, mutex: ObjectId, woken: &mut Vec<Frame>) {
        self.mutexes[mutex as usize].give(woken);
    }
}

impl Permits {
    fn take(&mut self, frame: Frame) -> Option<Frame> {
        if self.free == 0 {
            self.waiting.push_back(frame);
            return None;
        }
        self.free -= 1;
        Some(frame)
    }

    fn give(&mut self, woken: &mut Vec<Frame>) {
        match self.waiting.pop_front() {
            Some(first) => woken.push(first),
            None => self.free += 1,
        }
    }
}

impl Event {
    fn wait(&mut self, frame: Frame) -> Option<Frame> {
        if !self.set {
            self.waiting.push_back(frame);
            return None;
        }
        self.set = self.reset == EventReset::Manual;
        Some(frame)
    }

    fn set(&mut self, woken: &mut Vec<Frame>) {
        match self.reset {
            EventReset::Manual => {
                self.set = true;
                woken.extend(self.waiting.drain(..));
            }
            EventReset::Auto => match self.waiting.pop_front() {
                Some(first) => woken.push(first),
                None => self.set = true,
            },
        }
    }
}

impl Latch {
    fn wait(&mut self, frame: Frame) -> Option<Frame> {
        if self.missing > 0 {
            self.waiting.push_back(frame);
            return None;
        }
        Some(frame)
    }

    fn arrive(&mut self, woken: &mut Vec<Frame>) {
        self.missing = self.missing.saturating_sub(1);
        if self.missing == 0 {
            woken.extend(self.waiting.drain(..));
        }
    }
}

impl Barrier {
    fn new(participants: u32) -> Self {
        Self { participants, missing: participants, phase: 0, waiting: Line::new() }
    }

    fn wait(&mut self, id: ObjectId, frame: Frame) -> Option<Frame> {
        if frame.tickets.get(&id) == Some(&self.phase) {
            self.waiting.push_back(frame);
            return None;
        }
        Some(frame)
    }

    /// Gives the phase that the arrival counts for.
    fn arrive(&mut self, woken: &mut Vec<Frame>) -> u64 {
        let phase = self.phase;
        self.missing -= 1;
        if self.missing == 0 {
            self.missing = self.participants;
            self.phase += 1;
            woken.extend(self.waiting.drain(..));
        }
        phase
    }
}

impl Channel {
    fn new(capacity: u32) -> Self {
        let capacity = capacity as usize;
        Self { capacity, values: VecDeque::new(), closed: false, senders: VecDeque::new(), receivers: Line::new() }
    }

    fn send(&mut self, mut frame: Frame, value: i64, woken: &mut Vec<Frame>) -> Option<Frame> {
        if self.closed {
            frame.given = 0;
            return Some(frame);
        }
        if let Some(mut receiver) = self.receivers.pop_front() {
            receiver.given = value;
            woken.push(receiver);
        } else if self.values.len() < self.capacity {
            self.values.push_back(value);
        } else {
            self.senders.push_back((frame, value));
            return None;
        }
        frame.given = 1;
        Some(frame)
    }

    fn receive(&mut self, mut frame: Frame, woken: &mut Vec<Frame>) -> Option<Frame> {
        match self.values.pop_front() {
            Some(value) => frame.given = value,
            None if self.closed => frame.given = CLOSED,
            None => {
                self.receivers.push_back(frame);
                return None;
            }
        }
        if let Some((mut sender, value)) = self.senders.pop_front() {
            self.values.push_back(value);
            sender.given = 1;
            woken.push(sender);
        }
        Some(frame)
    }

    /// Refuses what is still to be sent; what is in the channel can still be received.
    fn close(&mut self, woken: &mut Vec<Frame>) {
        self.closed = true;
        for (mut sender, _) in self.senders.drain(..) {
            sender.given = 0;
            woken.push(sender);
        }
        for mut receiver in self.receivers.drain(..) {
            receiver.given = CLOSED;
            woken.push(receiver);
        }
    }
}
