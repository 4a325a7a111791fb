//! Condition variables. Who waits is known to the controller; of the `pthread_cond_t` only its clock
//! is read. There are no spurious wake-ups.

use std::ffi::{c_int, c_void};

use super::deadline;
use super::mutex::{Mutex, give_up, take};
use crate::control::active::{Active, active};
use crate::control::controller::Wake;
use crate::control::real::real;
use crate::point::Point;

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
unsafe fn wait(
    active: &Active,
    condition: *mut Condition,
    mutex: *mut Mutex,
    primitive: &'static str,
    deadline: Option<u64>,
) -> c_int {
    active.pass(Point::ConditionWait, condition as usize);
    // No point from here until the thread waits: giving the mutex up and waiting are one step.
    // SAFETY: the caller's promise.
    let error = unsafe { give_up(active, mutex) };
    if error != 0 {
        return error;
    }
    let wake = active.block(condition as usize, primitive, deadline);
    // SAFETY: the caller's promise.
    let error = unsafe { take(active, mutex, primitive, None) };
    if error == 0 && wake == Wake::TimedOut { libc::ETIMEDOUT } else { error }
}

/// Stands in for `pthread_cond_wait`; the same guarantees.
///
/// # Safety
/// That of `pthread_cond_wait`. The same holds for the others below.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_cond_wait(condition: *mut Condition, mutex: *mut Mutex) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(pthread_cond_wait: fn(*mut Condition, *mut Mutex) -> c_int)(condition, mutex) };
    };
    // SAFETY: the caller's promise.
    unsafe { wait(active, condition, mutex, "pthread_cond_wait", None) }
}

/// Stands in for `pthread_cond_timedwait`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_cond_timedwait(
    condition: *mut Condition,
    mutex: *mut Mutex,
    until: *const libc::timespec,
) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe {
            real!(pthread_cond_timedwait: fn(*mut Condition, *mut Mutex, *const libc::timespec) -> c_int)(
                condition, mutex, until,
            )
        };
    };
    // SAFETY: the caller's promise.
    unsafe {
        let Some(deadline) = deadline((*condition).clock(), &*until) else { return libc::EINVAL };
        wait(active, condition, mutex, "pthread_cond_timedwait", Some(deadline))
    }
}

/// Stands in for `pthread_cond_clockwait`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_cond_clockwait(
    condition: *mut Condition,
    mutex: *mut Mutex,
    clock: libc::clockid_t,
    until: *const libc::timespec,
) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe {
            real!(pthread_cond_clockwait: fn(*mut Condition, *mut Mutex, libc::clockid_t, *const libc::timespec) -> c_int)(
                condition, mutex, clock, until,
            )
        };
    };
    // SAFETY: the caller's promise.
    unsafe {
        let Some(deadline) = deadline(clock, &*until) else { return libc::EINVAL };
        wait(active, condition, mutex, "pthread_cond_clockwait", Some(deadline))
    }
}

/// Stands in for `pthread_cond_signal`. Which waiter wakes is a choice.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_cond_signal(condition: *mut c_void) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(pthread_cond_signal: fn(*mut c_void) -> c_int)(condition) };
    };
    active.pass(Point::ConditionNotify, condition as usize);
    active.ask(|controller| controller.wake_one(condition as usize));
    0
}

/// Stands in for `pthread_cond_broadcast`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_cond_broadcast(condition: *mut c_void) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(pthread_cond_broadcast: fn(*mut c_void) -> c_int)(condition) };
    };
    active.pass(Point::ConditionNotify, condition as usize);
    active.ask(|controller| controller.wake_all(condition as usize));
    0
}
