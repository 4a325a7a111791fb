//! Where tasks wait to run: a queue for the main thread, one for each thread that others steal from, timers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam::deque::{Injector, Steal, Stealer, Worker};

use super::objects::locked;
use crate::execution::ThreadId;
use crate::program::{Affinity, TaskId};

/// What a thread has to itself.
pub(super) struct Seat {
    pub thread: ThreadId,
    own: Worker<TaskId>,
}

pub(super) struct Queues {
    /// Tasks of main affinity; only the main thread takes from it.
    main: Injector<TaskId>,
    stealers: Vec<Stealer<TaskId>>,
    timers: Mutex<BinaryHeap<Reverse<(Instant, TaskId)>>>,
    closed: AtomicBool,
    /// Held while a thread makes sure that there is nothing to do before it sleeps, and by whoever wakes:
    /// so nothing is queued between the look and the sleep.
    idle: Mutex<()>,
    changed: Condvar,
}

impl Queues {
    /// Queues, and the seats of so many threads, main first.
    pub fn new(threads: u16) -> (Self, Vec<Seat>) {
        let seats: Vec<Seat> = (0..threads).map(|thread| Seat { thread, own: Worker::new_fifo() }).collect();
        let queues = Self {
            main: Injector::new(),
            stealers: seats.iter().map(|seat| seat.own.stealer()).collect(),
            timers: Mutex::new(BinaryHeap::new()),
            closed: AtomicBool::new(false),
            idle: Mutex::new(()),
            changed: Condvar::new(),
        };
        (queues, seats)
    }

    /// Queues a task that can go on.
    pub fn push(&self, task: TaskId, affinity: Affinity, seat: &Seat) {
        match affinity {
            Affinity::Main => self.main.push(task),
            Affinity::Worker => seat.own.push(task),
        }
        self.notify();
    }

    /// Queues a task to be woken at a time.
    pub fn wake_at(&self, time: Instant, task: TaskId) {
        locked(&self.timers).push(Reverse((time, task)));
        self.notify();
    }

    /// Sends all threads home.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.notify();
    }

    fn notify(&self) {
        drop(locked(&self.idle));
        self.changed.notify_all();
    }

    /// The next task for a thread, which sleeps until there is one; `None` at the end.
    pub fn next(&self, seat: &Seat) -> Option<TaskId> {
        loop {
            if self.closed.load(Ordering::Acquire) {
                return None;
            }
            if let Some(task) = self.find(seat) {
                return Some(task);
            }
            self.sleep(seat);
        }
    }

    fn find(&self, seat: &Seat) -> Option<TaskId> {
        if seat.thread == 0 {
            let found = taken(|| self.main.steal());
            if found.is_some() {
                return found;
            }
            if let Some(task) = self.expired() {
                return Some(task);
            }
        }
        seat.own.pop().or_else(|| {
            // From the neighbour on, so that not all rob the same.
            let start = usize::from(seat.thread);
            let others = (1..self.stealers.len()).map(|step| &self.stealers[(start + step) % self.stealers.len()]);
            others.into_iter().find_map(|stealer| taken(|| stealer.steal_batch_and_pop(&seat.own)))
        })
    }

    /// A task whose time has come. It goes on on the main thread, which runs the timers and may run all.
    fn expired(&self) -> Option<TaskId> {
        let mut timers = locked(&self.timers);
        let due = timers.peek().is_some_and(|Reverse((time, _))| *time <= Instant::now());
        if due { timers.pop().map(|Reverse((_, task))| task) } else { None }
    }

    fn sleep(&self, seat: &Seat) {
        let guard = locked(&self.idle);
        let main = seat.thread == 0;
        let work = self.stealers.iter().any(|stealer| !stealer.is_empty()) || (main && !self.main.is_empty());
        if work || self.closed.load(Ordering::Acquire) {
            return;
        }
        let deadline = if main { locked(&self.timers).peek().map(|Reverse((time, _))| *time) } else { None };
        match deadline {
            Some(time) => {
                let left = time.saturating_duration_since(Instant::now()).max(Duration::from_micros(1));
                drop(self.changed.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner));
            }
            None => drop(self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

/// What comes of trying until nobody interferes.
fn taken(steal: impl Fn() -> Steal<TaskId>) -> Option<TaskId> {
    loop {
        match steal() {
            Steal::Success(task) => return Some(task),
            Steal::Empty => return None,
            Steal::Retry => {}
        }
    }
}
