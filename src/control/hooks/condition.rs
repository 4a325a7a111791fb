//! Condition variables. Who waits is known to the controller; of the `pthread_cond_t` only its clock
//! is read. Wake-ups are spurious only where the controller is told to let that happen.

use std::ffi::c_int;

use super::mutex::{self, Mutex, give_up, take};
use super::{deadline, stand_in};
use crate::control::active::Active;
use crate::control::controller::Wake;
use crate::model::op::OpKind;
use crate::model::schedule::Injection;

/// glibc's `pthread_cond_t`, as far as it is needed.
#[repr(C)]
pub struct Condition {
    _other: [u32; 9],
    /// Bit 1 is set if the variable was initialised with `CLOCK_MONOTONIC`.
    references: u32,
}

impl Condition {
    fn clock(&self) -> libc::clockid_t {
        if self.references & 2 == 0 { libc::CLOCK_REALTIME } else { libc::CLOCK_MONOTONIC }
    }
}

/// # Safety
/// Both are initialised, and the calling virtual thread holds the mutex.
pub(super) unsafe fn wait(
    active: &Active,
    condition: *mut Condition,
    mutex: *mut Mutex,
    primitive: &'static str,
    deadline: Option<u64>,
) -> c_int {
    active.pass(OpKind::ConditionWait, condition as usize);
    let spurious = active.inject(Injection::SpuriousWakeUp);
    // No scheduling point from here until the thread waits: giving the mutex up and waiting are one step.
    // SAFETY: the caller's promise.
    let error = unsafe { give_up(active, mutex, primitive) };
    if error != 0 {
        return error;
    }
    // SAFETY: the caller's promise.
    unsafe { mutex::begin_use(mutex) };
    let wake = if spurious {
        active.pass(OpKind::ConditionWait, condition as usize);
        Wake::Notified
    } else {
        active.block(condition as usize, primitive, deadline)
    };
    // SAFETY: the caller's promise.
    let error = unsafe {
        mutex::end_use(mutex);
        take(active, mutex, primitive, None)
    };
    if error == 0 && wake == Wake::TimedOut { libc::ETIMEDOUT } else { error }
}

pub(super) fn notify_one(active: &Active, condition: usize) {
    active.pass(OpKind::ConditionNotify, condition);
    active.ask(|controller| controller.wake_one(condition));
}

pub(super) fn notify_all(active: &Active, condition: usize) {
    active.pass(OpKind::ConditionNotify, condition);
    active.ask(|controller| controller.wake_all(condition));
}

stand_in! {
    fn pthread_cond_wait(condition: *mut Condition, mutex: *mut Mutex) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe { wait(active, condition, mutex, "pthread_cond_wait", None) }
    }

    fn pthread_cond_timedwait(
        condition: *mut Condition,
        mutex: *mut Mutex,
        until: *const libc::timespec,
    ) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe {
            let Some(deadline) = deadline((*condition).clock(), &*until) else { return libc::EINVAL };
            wait(active, condition, mutex, "pthread_cond_timedwait", Some(deadline))
        }
    }

    fn pthread_cond_clockwait(
        condition: *mut Condition,
        mutex: *mut Mutex,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe {
            let Some(deadline) = deadline(clock, &*until) else { return libc::EINVAL };
            wait(active, condition, mutex, "pthread_cond_clockwait", Some(deadline))
        }
    }

    #[doc = "Which waiter wakes is a choice."]
    fn pthread_cond_signal(condition: *mut Condition) -> c_int |active| {
        notify_one(active, condition as usize);
        0
    }

    fn pthread_cond_broadcast(condition: *mut Condition) -> c_int |active| {
        notify_all(active, condition as usize);
        0
    }
}
