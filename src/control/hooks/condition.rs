//! Condition variables. Who waits is known to the controller; of the `pthread_cond_t` only its clock
//! is read, and whether it was destroyed. Wake-ups are spurious only where the controller is told to let that happen.

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
    state: u32,
    _other: [u32; 8],
    /// Bit 1 is set if the variable was initialised with `CLOCK_MONOTONIC`.
    references: u32,
}

/// Nothing that glibc's or a static initialiser begins with.
const DESTROYED: u32 = 0xde57_0bad;

impl Condition {
    fn clock(&self) -> libc::clockid_t {
        if self.references & 2 == 0 { libc::CLOCK_REALTIME } else { libc::CLOCK_MONOTONIC }
    }
}

/// The calling thread uses the variable.
///
/// # Safety
/// It is or was one, if its memory is there.
unsafe fn touch(active: &Active, condition: *const Condition, call: Call) {
    call.uses(active, condition);
    // SAFETY: the caller's promise, and it is there.
    if unsafe { (&raw const (*condition).state).read_volatile() } == DESTROYED {
        call.refuse_dead(active);
    }
}

/// # Safety
/// Both are initialised, and the calling virtual thread holds the mutex.
pub(super) unsafe fn wait(
    active: &Active,
    condition: *mut Condition,
    mutex: *mut Mutex,
    call: Call,
    deadline: Option<u64>,
) -> c_int {
    active.pass(OpKind::ConditionWait, condition as usize);
    let spurious = active.inject(Injection::SpuriousWakeUp);
    // No scheduling point from here until the thread waits: giving the mutex up and waiting are one step.
    // Touched no more once the mutex is given up: who was notified may be the one that destroys it.
    // SAFETY: the caller's promise.
    let mutex = unsafe {
        touch(active, condition, call);
        Mutex::at(mutex)
    };
    let error = mutex.give_up(active, call);
    if error != 0 {
        return error;
    }
    mutex.begin_use();
    let wake = if spurious {
        active.pass(OpKind::ConditionWait, condition as usize);
        Wake::Notified
    } else {
        active.block(condition as usize, call.primitive, deadline)
    };
    call.uses(active, mutex);
    mutex.end_use();
    let error = mutex.take(active, call, None);
    if error == 0 && wake == Wake::TimedOut { libc::ETIMEDOUT } else { error }
}

/// # Safety
/// The variable is initialised. The same holds for the others below.
pub(super) unsafe fn notify_one(active: &Active, condition: *const Condition, call: Call) {
    active.pass(OpKind::ConditionNotify, condition as usize);
    // SAFETY: the caller's promise.
    unsafe { touch(active, condition, call) };
    active.ask(|controller| controller.wake_one(condition as usize));
}

/// # Safety
/// As `notify_one`.
pub(super) unsafe fn notify_all(active: &Active, condition: *const Condition, call: Call) {
    active.pass(OpKind::ConditionNotify, condition as usize);
    // SAFETY: the caller's promise.
    unsafe { touch(active, condition, call) };
    active.ask(|controller| controller.wake_all(condition as usize));
}

/// # Safety
/// As `notify_one`.
pub(super) unsafe fn initialise(
    active: &Active,
    condition: *mut Condition,
    call: Call,
    real: impl FnOnce() -> c_int,
) -> c_int {
    let _unwatched = call.begins_or_ends(active, condition);
    let error = real();
    if error == 0 {
        // SAFETY: the caller's promise.
        unsafe { (*condition).state = 0 };
    }
    error
}

/// # Safety
/// As `notify_one`.
pub(super) unsafe fn destroy<R>(active: &Active, condition: *mut Condition, call: Call, real: impl FnOnce() -> R) -> R {
    // SAFETY: the caller's promise.
    unsafe { touch(active, condition, call) };
    let _unwatched = call.begins_or_ends(active, condition);
    let result = real();
    // SAFETY: the caller's promise: its memory is still there.
    unsafe { (*condition).state = DESTROYED };
    result
}

stand_in_for_calls! {
    fn pthread_cond_wait(condition: *mut Condition, mutex: *mut Mutex) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        unsafe { wait(active, condition, mutex, call, None) }
    }

    fn pthread_cond_timedwait(
        condition: *mut Condition,
        mutex: *mut Mutex,
        until: *const libc::timespec,
    ) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        unsafe {
            call.uses(active, condition);
            let Some(deadline) = deadline((*condition).clock(), &*until) else { return libc::EINVAL };
            wait(active, condition, mutex, call, Some(deadline))
        }
    }

    fn pthread_cond_clockwait(
        condition: *mut Condition,
        mutex: *mut Mutex,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        unsafe {
            let Some(deadline) = deadline(clock, &*until) else { return libc::EINVAL };
            wait(active, condition, mutex, call, Some(deadline))
        }
    }

    #[doc = "Which waiter wakes is a choice."]
    fn pthread_cond_signal(condition: *mut Condition) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        unsafe { notify_one(active, condition, call) };
        0
    }

    fn pthread_cond_broadcast(condition: *mut Condition) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        unsafe { notify_all(active, condition, call) };
        0
    }

    fn pthread_cond_init(condition: *mut Condition, attributes: *const libc::pthread_condattr_t) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        unsafe {
            initialise(active, condition, call, || {
                real!(pthread_cond_init: fn(*mut Condition, *const libc::pthread_condattr_t) -> c_int)(
                    condition, attributes,
                )
            })
        }
    }

    fn pthread_cond_destroy(condition: *mut Condition) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        unsafe {
            destroy(active, condition, call, || real!(pthread_cond_destroy: fn(*mut Condition) -> c_int)(condition))
        }
    }

    #[doc = "`std::condition_variable::notify_one`: the program is its caller, and not libstdc++, which TSan does not see."]
    fn _ZNSt18condition_variable10notify_oneEv(condition: *mut Condition) |active, call| {
        // SAFETY: the caller's promise; a `std::condition_variable` is a `pthread_cond_t`.
        unsafe { notify_one(active, condition, Call { primitive: "pthread_cond_signal", ..call }) };
    }

    #[doc = "`std::condition_variable::notify_all`: as `notify_one`."]
    fn _ZNSt18condition_variable10notify_allEv(condition: *mut Condition) |active, call| {
        // SAFETY: the caller's promise.
        unsafe { notify_all(active, condition, Call { primitive: "pthread_cond_broadcast", ..call }) };
    }
}
