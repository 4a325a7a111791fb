//! Signals on their way: who is sent one, and when it reaches them.
//!
//! A signal that another thread is sent, or the process, is pending at once and interrupts its thread some time later.
//! When that is, is a choice like any other: what carries the signal counts as a thread that makes one step, to reach
//! whoever the signal is for. So every strategy explores it, and schedules replay it. Nothing runs for such a thread.

use std::ffi::c_int;

use super::{Controller, Next, State, Thread, Wake, waits};
use crate::model::execution::ThreadId;
use crate::model::limits::MAX_VIRTUAL_THREADS;
use crate::model::op::{Op, OpKind};

/// A signal on its way.
#[derive(Clone, Copy)]
pub(super) struct Carried {
    carrier: ThreadId,
    signal: c_int,
    /// `None` for the process.
    to: Option<ThreadId>,
}

/// A wait that a signal interrupted, and that may go on.
pub(super) struct Interrupted {
    thread: ThreadId,
    object: usize,
    notified: bool,
}

/// What comes of a signal that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::control) enum Sent {
    /// It reaches the sender before the call returns.
    Here,
    /// Somebody takes it some time, or nobody does.
    Away,
    /// This new thread carries it.
    With(ThreadId),
    /// There is no thread left to carry it.
    Nowhere,
}

/// Signals on their way, and what they interrupted.
#[derive(Default)]
pub(super) struct Mail {
    carried: Vec<Carried>,
    /// Threads that carried one and can carry another.
    idle: Vec<ThreadId>,
    interrupted: Vec<Interrupted>,
}

impl Mail {
    pub fn new() -> Self {
        // As everything of the controller: nothing allocates during an execution.
        let room = MAX_VIRTUAL_THREADS;
        Self {
            carried: Vec::with_capacity(room),
            idle: Vec::with_capacity(room),
            interrupted: Vec::with_capacity(room),
        }
    }

    pub fn begin(&mut self) {
        self.carried.clear();
        self.idle.clear();
        self.interrupted.clear();
    }

    pub fn is_carrier(&self, thread: ThreadId) -> bool {
        !self.carried.is_empty() && self.carried.iter().any(|carried| carried.carrier == thread)
    }

    /// Threads in the handler of a signal that interrupted their wait for `object`.
    pub fn waiters(&self, object: usize) -> impl Iterator<Item = ThreadId> + '_ {
        let waiting = move |wait: &&Interrupted| wait.object == object && !wait.notified;
        self.interrupted.iter().filter(waiting).map(|wait| wait.thread)
    }

    /// The last such wait of the thread is over; whether there was one.
    pub fn notify(&mut self, thread: ThreadId, object: usize) -> bool {
        let waits = |wait: &&mut Interrupted| wait.thread == thread && wait.object == object && !wait.notified;
        let Some(wait) = self.interrupted.iter_mut().rfind(waits) else { return false };
        wait.notified = true;
        true
    }

    fn is_on_its_way(&self, signal: c_int, to: Option<ThreadId>) -> bool {
        self.carried.iter().any(|carried| carried.signal == signal && carried.to == to)
    }
}

impl Controller {
    /// Whether that thread is a signal on its way, and nothing runs for it.
    pub fn is_carrier(&self, thread: ThreadId) -> bool {
        self.mail.is_carrier(thread)
    }

    /// The running thread sends a signal, which may be sent, to a thread or to the process.
    pub fn send(&mut self, signal: c_int, to: Option<ThreadId>) -> Sent {
        let addressees = || to.map_or(0..self.thread_count(), |thread| thread..thread + 1);
        if addressees().all(|thread| !self.signals.lives(thread)) {
            return Sent::Away;
        }
        let count = addressees().filter(|&thread| self.signals.lets_in(thread, signal)).count();
        let (first, last) = (addressees().start, addressees().end);
        let awaited = (first..last).any(|thread| self.signals.awaits(thread, signal));
        if self.signals.is_ignored(signal) && count > 0 && !awaited {
            return Sent::Away;
        }
        if !self.signals.add(signal, to) {
            return Sent::Away;
        }
        self.kernel.signal_sent(signal);
        self.wake_for_kernel();
        if awaited {
            if let Some(thread) =
                self.pick(|this, thread| (first..last).contains(&thread) && this.signals.awaits(thread, signal))
            {
                let place = self.signals.place(thread);
                self.wake_all(place);
            }
            return Sent::Away;
        }
        match count {
            0 => Sent::Away,
            1 if self.signals.lets_in(self.current, signal) && (first..last).contains(&self.current) => Sent::Here,
            _ if self.mail.is_on_its_way(signal, to) => Sent::Away,
            _ => self.carry(signal, to),
        }
    }

    fn carry(&mut self, signal: c_int, to: Option<ThreadId>) -> Sent {
        let object = self.signals.place(to.unwrap_or(0));
        let (carrier, sent) = match self.mail.idle.pop() {
            Some(carrier) => (carrier, Sent::Away),
            None if self.threads.len() == MAX_VIRTUAL_THREADS => return Sent::Nowhere,
            None => {
                let carrier = self.thread_count();
                self.threads.push(Thread { state: State::Ended, object: 0, primitive: "", wake: Wake::Notified });
                self.pending.push(Op::NOTHING);
                self.fairness.add_thread();
                self.signals.add_thread(carrier, false);
                (carrier, Sent::With(carrier))
            }
        };
        self.alone.add_thread();
        self.threads[usize::from(carrier)].state = State::Runnable;
        self.pending[usize::from(carrier)] = Op::new(OpKind::SignalArrival, object);
        self.mail.carried.push(Carried { carrier, signal, to });
        self.add_runnable(carrier);
        sent
    }

    /// The carrier that was chosen to run makes its step: the signal reaches whoever it is for.
    pub(super) fn arrive(&mut self) -> Next {
        self.count(OpKind::SignalArrival);
        let carrier = self.current;
        if let Some(index) = self.mail.carried.iter().position(|carried| carried.carrier == carrier) {
            let Carried { signal, to, .. } = self.mail.carried.swap_remove(index);
            if self.signals.is_pending(signal, to) {
                let reached = match to {
                    Some(thread) => self.signals.lets_in(thread, signal).then_some(thread),
                    None => self.pick(|this, thread| this.signals.lets_in(thread, signal)),
                };
                if let Some(thread) = reached {
                    self.reach(thread);
                }
            }
        }
        // As the end of any thread: so the run of one that woke somebody has a point after that.
        self.count(OpKind::Wait);
        self.threads[usize::from(carrier)].state = State::Ended;
        self.runnable.remove(carrier);
        self.mail.idle.push(carrier);
        self.leave_current()
    }

    /// A signal reaches a thread that lets it in: when it goes on, it looks first.
    fn reach(&mut self, thread: ThreadId) {
        self.signals.reach(thread);
        let place = self.signals.place(thread);
        if self.threads[usize::from(thread)].state == State::Blocked {
            let object = self.threads[usize::from(thread)].object;
            self.resume(thread, Wake::Interrupted);
            self.waiting[waits::slot(object)] += 1; // It waits on, in a way.
            self.mail.interrupted.push(Interrupted { thread, object, notified: false });
        }
        self.pending[usize::from(thread)] = Op::new(OpKind::SignalArrival, place);
    }

    /// The running thread's handlers returned, and it goes back to the wait that was interrupted last; whether that is
    /// over.
    pub fn end_interruption(&mut self) -> bool {
        let Some(index) = self.mail.interrupted.iter().rposition(|wait| wait.thread == self.current) else {
            return false;
        };
        let wait = self.mail.interrupted.remove(index);
        if !wait.notified {
            self.waiting[waits::slot(wait.object)] -= 1;
        }
        wait.notified
    }

    /// One of the threads that fit, by choice of the strategy where there are several.
    fn pick(&mut self, fits: impl Fn(&Self, ThreadId) -> bool) -> Option<ThreadId> {
        self.waiters.clear();
        for thread in 0..self.thread_count() {
            if fits(self, thread) {
                self.waiters.push(thread);
            }
        }
        self.pick_waiter()
    }
}
