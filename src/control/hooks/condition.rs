//! Condition variables. Who waits is known to the controller; of the `pthread_cond_t` only its clock
//! is read, and whether it was destroyed. Wake-ups are spurious only where the controller is told to let that happen.

use std::cell::Cell;
use std::ffi::c_int;

use super::call::{Call, stand_in_for_calls};
use super::deadline;
use super::mutex::Mutex;
use crate::control::active::Active;
use crate::control::controller::Wake;
use crate::control::real::real;
use crate::model::op::OpKind;
use crate::model::schedule::Injection;

/// glibc's `pthread_cond_t`, as far as it is needed.
#[repr(C)]
pub struct Condition {
    /// `DESTROYED`, or anything else.
    state: Cell<u32>,
    _other: [Cell<u32>; 8],
    /// Bit 1 is set if the variable was initialised with `CLOCK_MONOTONIC`.
    references: Cell<u32>,
}

/// Nothing that glibc's or a static initialiser begins with.
const DESTROYED: u32 = 0xde57_0bad;

impl Condition {
    fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    fn clock(&self) -> libc::clockid_t {
        if self.references.get() & 2 == 0 { libc::CLOCK_REALTIME } else { libc::CLOCK_MONOTONIC }
    }

    /// The calling thread uses the variable.
    fn touch(&self, active: &Active, call: Call) {
        call.uses(active, self);
        if self.state.get() == DESTROYED {
            call.refuse_dead(active);
        }
    }

    /// The calling virtual thread holds the mutex.
    pub(super) fn wait(&self, active: &Active, mutex: &Mutex, call: Call, deadline: Option<u64>) -> c_int {
        active.pass(OpKind::ConditionWait, self.address());
        let spurious = active.inject(Injection::SpuriousWakeUp);
        // No scheduling point from here until the thread waits: giving the mutex up and waiting are one step.
        // Touched no more once the mutex is given up: who was notified may be the one that destroys it.
        self.touch(active, call);
        let error = mutex.give_up(active, call);
        if error != 0 {
            return error;
        }
        mutex.begin_use();
        let wake = if spurious {
            active.pass(OpKind::ConditionWait, self.address());
            Wake::Notified
        } else {
            active.ask(|controller| controller.takes_after_wait(mutex.address()));
            active.block(self.address(), call.primitive, deadline)
        };
        call.uses(active, mutex);
        mutex.end_use();
        let error = mutex.take(active, call, None);
        if error == 0 && wake == Wake::TimedOut { libc::ETIMEDOUT } else { error }
    }

    pub(super) fn wait_until(
        &self,
        active: &Active,
        mutex: &Mutex,
        call: Call,
        clock: libc::clockid_t,
        until: &libc::timespec,
    ) -> c_int {
        match deadline(clock, until) {
            Some(deadline) => self.wait(active, mutex, call, Some(deadline)),
            None => libc::EINVAL,
        }
    }

    /// Which waiter wakes is a choice.
    pub(super) fn notify_one(&self, active: &Active, call: Call) {
        active.pass(OpKind::ConditionNotify, self.address());
        self.touch(active, call);
        active.ask(|controller| controller.wake_one(self.address()));
    }

    pub(super) fn notify_all(&self, active: &Active, call: Call) {
        active.pass(OpKind::ConditionNotify, self.address());
        self.touch(active, call);
        active.ask(|controller| controller.wake_all(self.address()));
    }

    pub(super) fn initialise(&self, active: &Active, call: Call, real: impl FnOnce() -> c_int) -> c_int {
        let _unwatched = call.begins_or_ends(active, self);
        let error = real();
        if error == 0 {
            self.state.set(0);
        }
        error
    }

    pub(super) fn destroy<R>(&self, active: &Active, call: Call, real: impl FnOnce() -> R) -> R {
        self.touch(active, call);
        let _unwatched = call.begins_or_ends(active, self);
        let result = real();
        self.state.set(DESTROYED);
        result
    }
}

stand_in_for_calls! {
    fn pthread_cond_wait(condition: &Condition, mutex: &Mutex) -> c_int |active, call| {
        condition.wait(active, mutex, call, None)
    }

    fn pthread_cond_timedwait(
        condition: &Condition,
        mutex: &Mutex,
        until: &libc::timespec,
    ) -> c_int |active, call| {
        call.uses(active, condition);
        condition.wait_until(active, mutex, call, condition.clock(), until)
    }

    fn pthread_cond_clockwait(
        condition: &Condition,
        mutex: &Mutex,
        clock: libc::clockid_t,
        until: &libc::timespec,
    ) -> c_int |active, call| {
        condition.wait_until(active, mutex, call, clock, until)
    }

    fn pthread_cond_signal(condition: &Condition) -> c_int |active, call| {
        condition.notify_one(active, call);
        0
    }

    fn pthread_cond_broadcast(condition: &Condition) -> c_int |active, call| {
        condition.notify_all(active, call);
        0
    }

    fn pthread_cond_init(condition: &Condition, attributes: *const libc::pthread_condattr_t) -> c_int |active, call| {
        condition.initialise(active, call, || {
            // SAFETY: passed on unchanged.
            unsafe {
                real!(pthread_cond_init: fn(&Condition, *const libc::pthread_condattr_t) -> c_int)(condition, attributes)
            }
        })
    }

    fn pthread_cond_destroy(condition: &Condition) -> c_int |active, call| {
        // SAFETY: passed on unchanged.
        condition.destroy(active, call, || unsafe { real!(pthread_cond_destroy: fn(&Condition) -> c_int)(condition) })
    }

    #[doc = "`std::condition_variable::notify_one`: the program is its caller, and not libstdc++, which TSan does not see."]
    #[doc = "A `std::condition_variable` is a `pthread_cond_t`."]
    fn _ZNSt18condition_variable10notify_oneEv(condition: &Condition) |active, call| {
        condition.notify_one(active, Call { primitive: "pthread_cond_signal", ..call });
    }

    #[doc = "`std::condition_variable::notify_all`: as `notify_one`."]
    fn _ZNSt18condition_variable10notify_allEv(condition: &Condition) |active, call| {
        condition.notify_all(active, Call { primitive: "pthread_cond_broadcast", ..call });
    }
}
