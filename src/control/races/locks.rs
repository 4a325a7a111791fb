//! Which locks each thread holds.

use super::room;

/// A lock that a thread holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its address.
    pub lock: usize,
    /// The number of the stack by which it was taken.
    pub stack: usize,
    pub is_shared: bool,
}

pub struct Locks {
    /// By thread, in the order in which they were taken.
    held: Vec<Vec<Held>>,
}

impl Locks {
    pub fn new() -> Self {
        Self { held: Vec::new() }
    }

    pub fn clear(&mut self) {
        self.held.iter_mut().for_each(Vec::clear);
    }

    pub fn locked(&mut self, thread: usize, held: Held) {
        room::made(&mut self.held, thread + 1);
        if self.held.len() <= thread {
            self.held.resize_with(thread + 1, Vec::new);
        }
        let all = &mut self.held[thread];
        let needed = all.len() + 1;
        room::made(all, needed);
        all.push(held);
    }

    pub fn unlocked(&mut self, thread: usize, lock: usize) {
        let Some(all) = self.held.get_mut(thread) else { return };
        if let Some(index) = all.iter().rposition(|held| held.lock == lock) {
            all.remove(index);
        }
    }

    pub fn held(&self, thread: usize) -> &[Held] {
        self.held.get(thread).map_or(&[], Vec::as_slice)
    }
}
