//! Mutex, semaphore, event and latch: what lets tasks go on.

use std::fmt::{self, Display, Formatter};

use crate::task_graph::{EventReset, TaskId};

/// Held by one task at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mutex {
    holder: Option<TaskId>,
}

impl Mutex {
    /// Takes it, or has to wait while somebody holds it.
    pub fn lock(&mut self, task: TaskId) -> Option<i64> {
        if self.holder.is_some() {
            return None;
        }
        self.holder = Some(task);
        Some(0)
    }

    /// Gives it back.
    pub fn unlock(&mut self) -> Option<i64> {
        self.holder = None;
        Some(0)
    }

    /// Gives it back if the task holds it, as the task's failure does.
    pub fn abandon(&mut self, task: TaskId) {
        self.holder.take_if(|holder| *holder == task);
    }
}

impl Display for Mutex {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.holder {
            Some(task) => write!(formatter, "a mutex that task {task} holds"),
            None => formatter.write_str("a free mutex"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Semaphore {
    permits: u64,
}

impl Semaphore {
    #[must_use]
    pub fn new(permits: u32) -> Self {
        Self { permits: u64::from(permits) }
    }

    /// Takes a permit, or has to wait while there is none.
    pub fn acquire(&mut self) -> Option<i64> {
        self.permits = self.permits.checked_sub(1)?;
        Some(0)
    }

    pub fn release(&mut self) -> Option<i64> {
        self.permits += 1;
        Some(0)
    }
}

impl Display for Semaphore {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "a semaphore with {} permits", self.permits)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    reset: EventReset,
    set: bool,
}

impl Event {
    #[must_use]
    pub fn new(reset: EventReset) -> Self {
        Self { reset, set: false }
    }

    #[must_use]
    pub fn reset(&self) -> EventReset {
        self.reset
    }

    /// Sets or resets it.
    pub fn put(&mut self, set: bool) -> Option<i64> {
        self.set = set;
        Some(0)
    }

    /// Goes through if it is set, which resets an automatic one; else has to wait.
    pub fn wait(&mut self) -> Option<i64> {
        if !self.set {
            return None;
        }
        self.set = self.reset == EventReset::Manual;
        Some(0)
    }
}

impl Display for Event {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let state = if self.set { "is set" } else { "is not set" };
        write!(formatter, "an event ({}) that {state}", self.reset)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Latch {
    missing: u32,
}

impl Latch {
    /// Opens after so many arrivals.
    #[must_use]
    pub fn new(missing: u32) -> Self {
        Self { missing }
    }

    pub fn arrive(&mut self) -> Option<i64> {
        self.missing = self.missing.saturating_sub(1);
        Some(0)
    }

    /// Has to wait until it is open.
    pub fn wait(&mut self) -> Option<i64> {
        (self.missing == 0).then_some(0)
    }
}

impl Display for Latch {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "a latch that lacks {} arrivals", self.missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutex_has_one_holder_and_a_failure_gives_it_back() {
        let mut mutex = Mutex::default();
        assert_eq!(mutex.lock(1), Some(0));
        mutex.abandon(2);
        assert_eq!(mutex.lock(2), None);
        mutex.abandon(1);
        assert_eq!(mutex.lock(2), Some(0));
    }

    #[test]
    fn an_automatic_event_lets_one_through_and_a_manual_one_all() {
        for (reset, second) in [(EventReset::Manual, Some(0)), (EventReset::Auto, None)] {
            let mut event = Event::new(reset);
            assert_eq!(event.wait(), None);
            event.put(true);
            assert_eq!(event.wait(), Some(0));
            assert_eq!(event.wait(), second);
        }
    }

    #[test]
    fn permits_and_arrivals_are_counted() {
        let mut semaphore = Semaphore::new(1);
        assert_eq!((semaphore.acquire(), semaphore.acquire()), (Some(0), None));
        semaphore.release();
        assert_eq!(semaphore.acquire(), Some(0));
        let mut latch = Latch::new(1);
        assert_eq!((latch.wait(), latch.arrive(), latch.wait()), (None, Some(0), Some(0)));
    }
}
