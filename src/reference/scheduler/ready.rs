//! Which frames are ready, which wait for a time, and how threads sleep while there are none.
//!
//! Main tasks have one queue, which only the main thread takes from. Worker tasks lie in the queue of the
//! thread that made them ready; a thread whose own is empty steals from the others.
//!
//! No wake-up is lost: who makes a frame ready first queues it and then notifies under the lock, and who
//! goes to sleep looks at the queues once more under the same lock.

use std::collections::BTreeMap;
use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam::deque::{Injector, Steal, Stealer, Worker as Queue};

use super::frame::Frame;
use super::{MAIN, lock};
use crate::model::execution::ThreadId;
use crate::task_graph::Affinity;

pub(super) struct Ready {
    main: Injector<Frame>,
    /// Of the queue of each thread.
    stealers: Vec<Stealer<Frame>>,
    idle: Mutex<Idle>,
    wake_main: Condvar,
    wake_worker: Condvar,
    over: AtomicBool,
    start: Instant,
}

struct Idle {
    /// Threads that sleep, or were woken and have not noticed.
    sleeping: usize,
    /// Whether one of them is the main thread.
    main_sleeps: bool,
    /// Sleeping tasks by the microsecond to wake them at, then in the order in which they fell asleep.
    timers: BTreeMap<(u64, u64), Frame>,
    /// Timers there have been so far.
    timer_count: u64,
}

/// Ends the run when it is dropped, so that a thread that panics leaves nobody asleep.
pub(super) struct EndOnDrop<'a>(pub &'a Ready);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Ready {
    /// Nothing ready yet, and the queue of each thread.
    pub fn new(threads: u16) -> (Self, Vec<Queue<Frame>>) {
        let queues: Vec<_> = (0..threads).map(|_| Queue::new_fifo()).collect();
        let idle = Idle { sleeping: 0, main_sleeps: false, timers: BTreeMap::new(), timer_count: 0 };
        let ready = Self {
            main: Injector::new(),
            stealers: queues.iter().map(Queue::stealer).collect(),
            idle: Mutex::new(idle),
            wake_main: Condvar::new(),
            wake_worker: Condvar::new(),
            over: AtomicBool::new(false),
            start: Instant::now(),
        };
        (ready, queues)
    }

    /// Microseconds since the run began.
    pub fn now(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// Makes a frame ready, on the thread with that queue.
    pub fn push(&self, queue: &Queue<Frame>, frame: Frame) {
        let affinity = frame.affinity;
        match affinity {
            Affinity::Main => self.main.push(frame),
            Affinity::Worker => queue.push(frame),
        }
        let idle = lock(&self.idle);
        let worker_sleeps = idle.sleeping > usize::from(idle.main_sleeps);
        if affinity == Affinity::Worker && worker_sleeps {
            self.wake_worker.notify_one();
        } else if idle.main_sleeps {
            self.wake_main.notify_one();
        }
    }

    /// Makes a frame ready once the time has come.
    pub fn push_at(&self, microsecond: u64, frame: Frame) {
        let mut idle = lock(&self.idle);
        let order = idle.timer_count;
        idle.timer_count += 1;
        idle.timers.insert((microsecond, order), frame);
        if idle.main_sleeps {
            self.wake_main.notify_one();
        }
    }

    /// The next frame for a thread: none when there is none, or the run is over.
    pub fn take(&self, thread: ThreadId, queue: &Queue<Frame>) -> Option<Frame> {
        if self.is_over() {
            return None;
        }
        if thread == MAIN {
            self.push_expired(queue);
            let main = steal(|| self.main.steal());
            if main.is_some() {
                return main;
            }
        }
        queue.pop().or_else(|| {
            let others = || self.stealers.iter().cycle().skip(usize::from(thread) + 1).take(self.stealers.len() - 1);
            steal(|| others().map(|stealer| stealer.steal_batch_and_pop(queue)).collect())
        })
    }

    /// Sleeps until there may be something for the thread. If it is the last one awake and nothing will ever
    /// come, the run is over.
    pub fn sleep(&self, thread: ThreadId) {
        let mut idle = lock(&self.idle);
        let main_task = !self.main.is_empty();
        let worker_task = self.stealers.iter().any(|stealer| !stealer.is_empty());
        if self.is_over() || worker_task || main_task && thread == MAIN {
            return;
        }
        // Who was woken and has not noticed counts as asleep, but then there is a task in a queue.
        let last_awake = idle.sleeping + 1 == self.stealers.len();
        if last_awake && !main_task && idle.timers.is_empty() {
            drop(idle);
            return self.end();
        }
        idle.sleeping += 1;
        if thread == MAIN {
            idle.main_sleeps = true;
            let deadline = idle.timers.first_key_value().map(|(&(microsecond, _), _)| microsecond);
            idle = match deadline {
                Some(deadline) => {
                    let left = Duration::from_micros(deadline.saturating_sub(self.now()));
                    self.wake_main.wait_timeout(idle, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.wake_main.wait(idle).unwrap_or_else(PoisonError::into_inner),
            };
            idle.main_sleeps = false;
        } else {
            idle = self.wake_worker.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
        idle.sleeping -= 1;
    }

    /// Ends the run: every thread finishes the step it is in and stops.
    pub fn end(&self) {
        // Under the lock, so that nobody falls asleep who has not seen it.
        let _idle = lock(&self.idle);
        self.over.store(true, Ordering::Relaxed);
        self.wake_main.notify_all();
        self.wake_worker.notify_all();
    }

    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn push_expired(&self, queue: &Queue<Frame>) {
        loop {
            let expired = {
                let mut idle = lock(&self.idle);
                match idle.timers.first_entry() {
                    Some(first) if first.key().0 <= self.now() => first.remove(),
                    _ => return,
                }
            };
            self.push(queue, expired);
        }
    }
}

/// Steals until it is known whether there is something.
fn steal(attempt: impl Fn() -> Steal<Frame>) -> Option<Frame> {
    iter::repeat_with(attempt).find(|stolen| !stolen.is_retry()).and_then(Steal::success)
}
