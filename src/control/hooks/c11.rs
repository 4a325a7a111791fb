//! C11's `threads.h`. In glibc its objects are those of POSIX threads under other names, and so they are here: only
//! the errors differ. (`mtx_init`, `cnd_init` and their counterparts neither block nor wake: they are glibc's.)

use std::ffi::{c_int, c_void};
use std::sync::atomic::AtomicI32;

use super::clock::sleep_for;
use super::condition::{self, Condition};
use super::mutex::{self, Mutex};
use super::{nanoseconds, once, specific, stand_in, thread};
use crate::control::state::specific::{Destructor, Key};
use crate::control::virtual_thread::{CStart, Start};
use crate::model::op::OpKind;

const SUCCESS: c_int = 0;
const BUSY: c_int = 1;
const ERROR: c_int = 2;
const TIMED_OUT: c_int = 4;

/// C11's word for an error of POSIX threads.
pub(super) fn status(error: c_int) -> c_int {
    match error {
        0 => SUCCESS,
        libc::EBUSY => BUSY,
        libc::ETIMEDOUT => TIMED_OUT,
        _ => ERROR,
    }
}

stand_in! {
    fn thrd_create(handle: *mut libc::pthread_t, start: CStart, argument: *mut c_void) -> c_int |active| {
        let created = thread::create(active, Start::C11(start), argument);
        // SAFETY: the caller's promise.
        unsafe { *handle = active.engine.handle(created) };
        SUCCESS
    }

    fn thrd_join(handle: libc::pthread_t, result: *mut c_int) -> c_int |active| {
        match thread::join(active, handle, "thrd_join", None) {
            Ok(value) => {
                // SAFETY: the caller's promise.
                if let Some(result) = unsafe { result.as_mut() } {
                    *result = value as isize as c_int;
                }
                SUCCESS
            }
            Err(error) => status(error),
        }
    }

    fn thrd_detach(handle: libc::pthread_t) -> c_int |active| {
        status(thread::detach(active, handle))
    }

    fn thrd_current() -> libc::pthread_t |active| {
        active.engine.handle(active.engine.thread(active.current()))
    }

    fn thrd_yield() |active| {
        active.pass(OpKind::Yield, 0);
    }

    #[doc = "Never interrupted."]
    fn thrd_sleep(length: *const libc::timespec, _rest: *mut libc::timespec) -> c_int |active| {
        const INVALID: c_int = -2;
        // SAFETY: the caller's promise.
        let Some(length) = nanoseconds(unsafe { &*length }) else { return INVALID };
        sleep_for(active, "thrd_sleep", length);
        SUCCESS
    }

    fn mtx_lock(mutex: *mut Mutex) -> c_int |active| {
        // SAFETY: the caller's promise; here and below.
        status(unsafe { mutex::lock(active, mutex, "mtx_lock") })
    }

    fn mtx_timedlock(mutex: *mut Mutex, until: *const libc::timespec) -> c_int |active| {
        // SAFETY: as above.
        status(unsafe { mutex::lock_until(active, mutex, "mtx_timedlock", libc::CLOCK_REALTIME, &*until) })
    }

    fn mtx_trylock(mutex: *mut Mutex) -> c_int |active| {
        // SAFETY: as above.
        status(unsafe { mutex::try_lock(active, mutex, "mtx_trylock") })
    }

    fn mtx_unlock(mutex: *mut Mutex) -> c_int |active| {
        // SAFETY: as above.
        status(unsafe { mutex::unlock(active, mutex, "mtx_unlock") })
    }

    fn cnd_wait(condition: *mut Condition, mutex: *mut Mutex) -> c_int |active| {
        // SAFETY: as above.
        status(unsafe { condition::wait(active, condition, mutex, "cnd_wait", None) })
    }

    fn cnd_timedwait(condition: *mut Condition, mutex: *mut Mutex, until: *const libc::timespec) -> c_int |active| {
        // SAFETY: as above.
        let Some(deadline) = super::deadline(libc::CLOCK_REALTIME, unsafe { &*until }) else { return ERROR };
        // SAFETY: as above.
        status(unsafe { condition::wait(active, condition, mutex, "cnd_timedwait", Some(deadline)) })
    }

    fn cnd_signal(condition: *mut Condition) -> c_int |active| {
        condition::notify_one(active, condition as usize);
        SUCCESS
    }

    fn cnd_broadcast(condition: *mut Condition) -> c_int |active| {
        condition::notify_all(active, condition as usize);
        SUCCESS
    }

    fn tss_create(key: *mut Key, destructor: Option<Destructor>) -> c_int |active| {
        let Some(made) = specific::create(active, destructor) else { return ERROR };
        // SAFETY: the caller's promise.
        unsafe { *key = made };
        SUCCESS
    }

    fn call_once(flag: *mut AtomicI32, routine: once::Routine) |active| {
        // SAFETY: the caller's promise.
        unsafe { once::call(active, flag, routine, "call_once") };
    }
}
