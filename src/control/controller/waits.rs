//! Waiting: who is blocked on what, and who is woken.

use std::ffi::c_int;

use super::{Controller, Next, SLOTS, State, Wake};
use crate::control::files::{FILES, FileUse, OpenId, Released};
use crate::control::order;
use crate::model::execution::ThreadId;
use crate::model::op::{Op, OpKind};
use crate::strategy::{Sleeper, Use};

/// Virtual nanoseconds. What is to wait longer than these 146 years waits without end: clocks could not show a later time.
const FOREVER: u64 = 1 << 62;

impl Controller {
    /// The running thread waits for `object`; once it runs again, `wake` says why.
    #[inline]
    pub fn block(&mut self, object: usize, primitive: &'static str, deadline: Option<u64>) -> Next {
        // A wait counts, so that a run ended by one differs from a run ended by a choice just before it.
        self.count(OpKind::Wait);
        let current = self.current;
        let thread = &mut self.threads[usize::from(current)];
        thread.state = State::Blocked;
        thread.object = object;
        thread.primitive = primitive;
        self.report(Use::Waits(object));
        let takes = std::mem::take(&mut self.takes_after);
        self.pending[usize::from(current)] = match takes {
            0 => Op::new(OpKind::Wait, object),
            mutex => Op { waits: true, ..Op::new(OpKind::Wait, mutex) },
        };
        self.waiting[slot(object)] += 1;
        self.runnable.remove(current);
        self.alone_since = None; // Who waits has not much to do.
        if let Some(deadline) = deadline.filter(|&deadline| deadline < FOREVER) {
            self.sleeping.push(Sleeper { thread: current, deadline });
        }
        if let Some(observer) = &mut self.observer {
            let blocked = self.threads.iter().filter(|thread| thread.state == State::Blocked);
            observer.blocked(blocked.map(|thread| thread.primitive));
        }
        self.leave_current()
    }

    /// The running thread is about to wait, and takes that mutex before anything else.
    pub fn takes_after_wait(&mut self, mutex: usize) {
        if self.reports_uses {
            self.takes_after = mutex;
        }
    }

    /// Why the running thread was woken.
    pub fn wake(&self) -> Wake {
        self.threads[usize::from(self.current)].wake
    }

    /// Wakes every thread that waits for `object`.
    #[inline]
    pub fn wake_all(&mut self, object: usize) {
        if self.reports_uses {
            let anyone = self.threads.iter().any(|thread| thread.waits_for(object));
            self.report(Use::Wakes { object, anyone });
        }
        if self.waiting[slot(object)] > 0 {
            self.wake_waiters(object);
        }
    }

    #[inline]
    fn wake_waiters(&mut self, object: usize) {
        for thread in 0..self.threads.len() as ThreadId {
            if self.threads[usize::from(thread)].waits_for(object) {
                self.resume(thread, Wake::Notified);
            }
            while self.mail.notify(thread, object) {
                self.waiting[slot(object)] -= 1;
            }
        }
    }

    /// Wakes one thread that waits for `object`, which one is a choice. Whether there was one.
    pub fn wake_one(&mut self, object: usize) -> bool {
        if self.reports_uses {
            let anyone = self.threads.iter().any(|thread| thread.waits_for(object));
            self.report(Use::Wakes { object, anyone });
        }
        if self.waiting[slot(object)] == 0 {
            return false;
        }
        self.waiters.clear();
        let waiting = (0..).zip(&self.threads).filter(|(_, thread)| thread.waits_for(object));
        self.waiters.extend(waiting.map(|(thread, _)| thread));
        self.waiters.extend(self.mail.waiters(object));
        let Some(picked) = self.pick_waiter() else { return false };
        if self.threads[usize::from(picked)].waits_for(object) {
            self.resume(picked, Wake::Notified);
        } else if self.mail.notify(picked, object) {
            self.waiting[slot(object)] -= 1;
        }
        true
    }

    /// One of `waiters`, by choice where there are several.
    pub(super) fn pick_waiter(&mut self) -> Option<ThreadId> {
        let _unwatched = self.unwatched();
        match self.waiters.as_slice() {
            [] => None,
            [only] => Some(*only),
            several => match self.strategy.pick(several) {
                Ok(index) => {
                    let waiter = several[index];
                    self.trace.wake(waiter);
                    Some(waiter)
                }
                Err(divergence) => {
                    self.diverged(divergence);
                    self.ask_next();
                    None
                }
            },
        }
    }

    /// The target opened a file under this number, or copied the descriptor of that one.
    pub fn add_descriptor(&mut self, number: c_int, copied: Option<OpenId>) {
        match copied {
            None => self.files.add(number),
            Some(open) => self.files.add_to(open, number),
        }
        self.change_number(number);
    }

    /// The target closed a descriptor.
    pub fn forget_descriptor(&mut self, number: c_int) {
        self.change_number(number);
        let released = self.files.remove(number);
        released.into_iter().flatten().for_each(|released| self.wake_lockers(released));
    }

    fn change_number(&mut self, number: c_int) {
        if self.reports_uses
            && let Some(entry) = self.files.number(number)
        {
            self.report(Use::Changed(entry));
            self.report(Use::Changed(self.files.numbers()));
        }
    }

    /// The target uses a descriptor, or tries to: whether it is there depends on who opens and closes.
    pub fn use_number(&mut self, number: c_int) {
        if self.reports_uses {
            let entry = self.files.number(number);
            self.report(Use::Looked(entry.unwrap_or_else(|| self.files.numbers())));
        }
    }

    /// The target called something on files that came to that, by way of that descriptor if there is one.
    pub fn use_files(&mut self, on: Option<c_int>, how: FileUse) {
        if !self.reports_uses {
            return;
        }
        match how {
            FileUse::Changes => {}
            FileUse::Looks | FileUse::Reads => self.report(Use::Looked(FILES)),
            FileUse::Spares => self.report(Use::Elsewhere),
        }
        if let Some(number) = on {
            self.use_number(number);
            self.use_place(number, how == FileUse::Reads);
        }
    }

    /// The place in the open file behind that descriptor matters, and moves on or not.
    pub fn use_place(&mut self, number: c_int, moves: bool) {
        if self.reports_uses
            && let Some(open) = self.files.open_of(number)
        {
            let place = self.files.object(open);
            self.report(if moves { Use::Changed(place) } else { Use::Looked(place) });
        }
    }

    /// A thread no longer waits for a lock of that open file.
    pub fn let_go(&mut self, open: OpenId) {
        let released = self.files.let_go(open);
        released.into_iter().flatten().for_each(|released| self.wake_lockers(released));
    }

    /// A lock on the file was released: whoever waits for one looks again.
    pub fn wake_lockers(&mut self, (file, lock): Released) {
        let order = self.files.order(file);
        self.report(Use::GaveUp(order.object()));
        order::release(order.released_by(lock));
        for open in self.files.opens() {
            if self.files.is_of(open, file) {
                self.wake_all(self.files.object(open));
            }
        }
    }

    /// Wakes those who wait for what the kernel says has changed.
    #[inline]
    pub fn wake_for_kernel(&mut self) {
        while let Some(place) = self.kernel.take_woken() {
            self.wake_all(place);
        }
    }

    /// The choice fell on a thread that sleeps: its time-out comes before anything wakes it, so the clock jumps there.
    #[inline]
    pub(super) fn time_out(&mut self, sleeper: Sleeper) {
        self.skipped_time += sleeper.deadline.saturating_sub(self.now());
        self.report_of(sleeper.thread, Use::TimedOut);
        self.resume(sleeper.thread, Wake::TimedOut);
    }

    #[inline]
    pub(super) fn resume(&mut self, thread: ThreadId, wake: Wake) {
        let entry = &mut self.threads[usize::from(thread)];
        entry.state = State::Runnable;
        entry.wake = wake;
        self.waiting[slot(entry.object)] -= 1;
        if let Some(place) = self.sleeping.iter().position(|sleeper| sleeper.thread == thread) {
            self.sleeping.swap_remove(place);
        }
        self.add_runnable(thread);
        // What its time-out comes after is what it did itself.
        if wake != Wake::TimedOut {
            self.report(Use::Resumed(thread));
        }
    }
}

/// Objects are at least 8 bytes apart. The slot decides nothing, so it may depend on addresses.
pub(super) fn slot(object: usize) -> usize {
    object / 8 % SLOTS
}
