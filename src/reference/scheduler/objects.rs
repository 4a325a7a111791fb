//! The shared objects as many threads use them: each under a lock, with the tasks that wait for it in order.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::program::{self, CLOSED, EventReset, Operation, TaskId};

/// What a call came to.
pub(super) enum Answer {
    /// It returns this.
    Now(i64),
    /// The task waits; whoever lets it go on says what the call returns.
    Later,
}

/// Tasks that may go on, with what their calls return.
pub(super) type Woken = Vec<(TaskId, i64)>;

struct Lock {
    held: bool,
    waiters: VecDeque<TaskId>,
}

struct Semaphore {
    permits: u32,
    waiters: VecDeque<TaskId>,
}

struct Event {
    reset: EventReset,
    set: bool,
    waiters: VecDeque<TaskId>,
}

struct Latch {
    left: u32,
    waiters: Vec<TaskId>,
}

struct Barrier {
    participants: u32,
    arrived: u32,
    phase: u64,
    /// Tasks that wait for the current phase. The phase that each task arrived at last.
    waiters: Vec<TaskId>,
    tickets: Vec<(TaskId, u64)>,
}

struct Channel {
    capacity: usize,
    closed: bool,
    values: VecDeque<i64>,
    /// Senders wait only while it is full, receivers only while it is empty.
    senders: VecDeque<(TaskId, i64)>,
    receivers: VecDeque<TaskId>,
}

pub(super) struct Objects {
    mutexes: Vec<Mutex<Lock>>,
    semaphores: Vec<Mutex<Semaphore>>,
    events: Vec<Mutex<Event>>,
    latches: Vec<Mutex<Latch>>,
    barriers: Vec<Mutex<Barrier>>,
    channels: Vec<Mutex<Channel>>,
}

impl Objects {
    pub fn new(objects: &program::Objects) -> Self {
        Self {
            mutexes: (0..objects.mutexes).map(|_| Lock { held: false, waiters: VecDeque::new() }).map(Mutex::new).collect(),
            semaphores: each(&objects.semaphores, |permits| Semaphore { permits, waiters: VecDeque::new() }),
            events: each(&objects.events, |reset| Event { reset, set: false, waiters: VecDeque::new() }),
            latches: each(&objects.latches, |left| Latch { left, waiters: vec![] }),
            barriers: each(&objects.barriers, |participants| Barrier {
                participants,
                arrived: 0,
                phase: 0,
                waiters: vec![],
                tickets: vec![],
            }),
            channels: each(&objects.channels, |capacity| Channel {
                capacity: capacity as usize,
                closed: false,
                values: VecDeque::new(),
                senders: VecDeque::new(),
                receivers: VecDeque::new(),
            }),
        }
    }

    /// Calls an operation on an object for the task.
    pub fn call(&self, task: TaskId, operation: &Operation, woken: &mut Woken) -> Answer {
        match *operation {
            Operation::Lock(id) => self.lock(id, task),
            Operation::Unlock(id) => self.unlock(id, woken),
            Operation::Acquire(id) => self.acquire(id, task),
            Operation::Release(id) => self.release(id, woken),
            Operation::SetEvent(id) => self.set(id, woken),
            Operation::ResetEvent(id) => {
                locked(&self.events[id as usize]).set = false;
                Answer::Now(0)
            }
            Operation::WaitEvent(id) => self.wait(id, task),
            Operation::LatchArrive(id) => self.count_down(id, woken),
            Operation::LatchWait(id) => {
                let mut latch = locked(&self.latches[id as usize]);
                if latch.left == 0 {
                    return Answer::Now(0);
                }
                latch.waiters.push(task);
                Answer::Later
            }
            Operation::BarrierArrive(id) => self.arrive(id, task, woken),
            Operation::BarrierWait(id) => self.await_phase(id, task),
            Operation::Send(id, value) => self.send(id, task, value, woken),
            Operation::Receive(id) => self.receive(id, task, woken),
            Operation::Close(id) => self.close(id, woken),
            _ => Answer::Now(0),
        }
    }

    fn lock(&self, id: u32, task: TaskId) -> Answer {
        let mut lock = locked(&self.mutexes[id as usize]);
        if lock.held {
            lock.waiters.push_back(task);
            return Answer::Later;
        }
        lock.held = true;
        Answer::Now(0)
    }

    /// Passes the lock on to the first that waits.
    pub fn unlock(&self, id: u32, woken: &mut Woken) -> Answer {
        let mut lock = locked(&self.mutexes[id as usize]);
        match lock.waiters.pop_front() {
            Some(waiter) => woken.push((waiter, 0)),
            None => lock.held = false,
        }
        Answer::Now(0)
    }

    fn acquire(&self, id: u32, task: TaskId) -> Answer {
        let mut semaphore = locked(&self.semaphores[id as usize]);
        if semaphore.permits == 0 {
            semaphore.waiters.push_back(task);
            return Answer::Later;
        }
        semaphore.permits -= 1;
        Answer::Now(0)
    }

    fn release(&self, id: u32, woken: &mut Woken) -> Answer {
        let mut semaphore = locked(&self.semaphores[id as usize]);
        match semaphore.waiters.pop_front() {
            Some(waiter) => woken.push((waiter, 0)),
            None => semaphore.permits += 1,
        }
        Answer::Now(0)
    }

    fn set(&self, id: u32, woken: &mut Woken) -> Answer {
        let mut event = locked(&self.events[id as usize]);
        match event.reset {
            EventReset::Manual => {
                event.set = true;
                woken.extend(event.waiters.drain(..).map(|waiter| (waiter, 0)));
            }
            EventReset::Auto => match event.waiters.pop_front() {
                Some(waiter) => woken.push((waiter, 0)),
                None => event.set = true,
            },
        }
        Answer::Now(0)
    }

    fn wait(&self, id: u32, task: TaskId) -> Answer {
        let mut event = locked(&self.events[id as usize]);
        if !event.set {
            event.waiters.push_back(task);
            return Answer::Later;
        }
        event.set = event.reset == EventReset::Manual;
        Answer::Now(0)
    }

    fn count_down(&self, id: u32, woken: &mut Woken) -> Answer {
        let mut latch = locked(&self.latches[id as usize]);
        latch.left = latch.left.saturating_sub(1);
        if latch.left == 0 {
            woken.extend(latch.waiters.drain(..).map(|waiter| (waiter, 0)));
        }
        Answer::Now(0)
    }

    fn arrive(&self, id: u32, task: TaskId, woken: &mut Woken) -> Answer {
        let mut barrier = locked(&self.barriers[id as usize]);
        let ticket = (task, barrier.phase);
        match barrier.tickets.iter_mut().find(|(owner, _)| *owner == task) {
            Some(old) => *old = ticket,
            None => barrier.tickets.push(ticket),
        }
        barrier.arrived += 1;
        if barrier.arrived == barrier.participants {
            barrier.arrived = 0;
            barrier.phase += 1;
            woken.extend(barrier.waiters.drain(..).map(|waiter| (waiter, 0)));
        }
        Answer::Now(0)
    }

    fn await_phase(&self, id: u32, task: TaskId) -> Answer {
        let mut barrier = locked(&self.barriers[id as usize]);
        let waits = barrier.tickets.contains(&(task, barrier.phase));
        if waits {
            barrier.waiters.push(task);
            return Answer::Later;
        }
        Answer::Now(0)
    }

    fn send(&self, id: u32, task: TaskId, value: i64, woken: &mut Woken) -> Answer {
        let mut channel = locked(&self.channels[id as usize]);
        if channel.closed {
            return Answer::Now(0);
        }
        if let Some(receiver) = channel.receivers.pop_front() {
            woken.push((receiver, value));
            return Answer::Now(1);
        }
        if channel.values.len() == channel.capacity {
            channel.senders.push_back((task, value));
            return Answer::Later;
        }
        channel.values.push_back(value);
        Answer::Now(1)
    }

    fn receive(&self, id: u32, task: TaskId, woken: &mut Woken) -> Answer {
        let mut channel = locked(&self.channels[id as usize]);
        let Some(value) = channel.values.pop_front() else {
            if channel.closed {
                return Answer::Now(CLOSED);
            }
            channel.receivers.push_back(task);
            return Answer::Later;
        };
        if let Some((sender, next)) = channel.senders.pop_front() {
            channel.values.push_back(next);
            woken.push((sender, 1));
        }
        Answer::Now(value)
    }

    fn close(&self, id: u32, woken: &mut Woken) -> Answer {
        let mut channel = locked(&self.channels[id as usize]);
        channel.closed = true;
        woken.extend(channel.senders.drain(..).map(|(sender, _)| (sender, 0)));
        woken.extend(channel.receivers.drain(..).map(|receiver| (receiver, CLOSED)));
        Answer::Now(0)
    }
}

fn each<T: Copy, U>(values: &[T], make: impl Fn(T) -> U) -> Vec<Mutex<U>> {
    values.iter().map(|&value| Mutex::new(make(value))).collect()
}

/// Locks. A panic elsewhere ends the run anyway, so what it left behind does not matter.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
