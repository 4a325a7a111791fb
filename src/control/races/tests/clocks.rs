//! Clocks of release actions for the events of an execution, as the memory model's machine keeps them.

use std::collections::HashMap;

use super::traces::{Event, What};

type Clock = Vec<u32>;

#[derive(Clone, Default)]
struct Thread {
    current: Clock,
    /// What relaxed loads have read, for an acquire fence.
    read: Clock,
    /// What the last release fence saw.
    fence: Clock,
}

#[derive(Default)]
pub struct Clocks {
    threads: Vec<Thread>,
    stores: HashMap<usize, Clock>,
    locks: HashMap<usize, Clock>,
}

fn join(clock: &mut Clock, other: &[u32]) {
    clock.resize(clock.len().max(other.len()), 0);
    clock.iter_mut().zip(other).for_each(|(own, other)| *own = (*own).max(*other));
}

impl Clocks {
    pub fn new() -> Self {
        Self { threads: vec![Thread::default()], ..Self::default() }
    }

    /// Release actions that the thread has made.
    pub fn epoch(&self, thread: usize) -> u32 {
        self.threads[thread].current.get(thread).copied().unwrap_or_default()
    }

    pub fn clock(&self, thread: usize) -> &[u32] {
        &self.threads[thread].current
    }

    fn release(&mut self, thread: usize) -> Clock {
        let current = &mut self.threads[thread].current;
        current.resize(current.len().max(thread + 1), 0);
        current[thread] += 1;
        current.clone()
    }

    /// What the event acquires; before its accesses.
    pub fn acquire(&mut self, event: &Event) {
        let thread = &mut self.threads[event.thread];
        match event.what {
            What::Load(_, order, Some(store)) | What::ReadModifyWrite(_, order, Some(store)) => {
                let clock = &self.stores[&store];
                join(if order.acquires { &mut thread.current } else { &mut thread.read }, clock);
                join(&mut thread.read, clock);
            }
            What::Fence(order) if order.acquires => join(&mut thread.current, &thread.read),
            What::Lock(lock) => join(&mut thread.current, self.locks.get(&lock).map_or(&[], Vec::as_slice)),
            What::Join(child) => {
                let clock = self.threads[child].current.clone();
                join(&mut self.threads[event.thread].current, &clock);
            }
            _ => {}
        }
    }

    /// What the event of that number releases; after its accesses.
    pub fn release_of(&mut self, number: usize, event: &Event) {
        let thread = event.thread;
        match event.what {
            What::Store(_, order) | What::ReadModifyWrite(_, order, _) => {
                let mut clock = if order.releases { self.release(thread) } else { self.threads[thread].fence.clone() };
                if let What::ReadModifyWrite(_, _, Some(read)) = event.what {
                    join(&mut clock, &self.stores[&read]);
                }
                self.stores.insert(number, clock);
            }
            What::Fence(order) if order.releases => self.threads[thread].fence = self.release(thread),
            What::Unlock(lock) => {
                let clock = self.release(thread);
                self.locks.insert(lock, clock);
            }
            What::Create(child) => {
                let current = self.release(thread);
                self.threads.resize(self.threads.len().max(child + 1), Thread::default());
                self.threads[child].current = current;
            }
            What::End => {
                self.release(thread);
            }
            _ => {}
        }
    }
}
