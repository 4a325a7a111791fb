//! C11's `threads.h`. In glibc its objects are those of POSIX threads under other names, and so they are here: only
//! the errors differ. (`mtx_init`, `cnd_init` and their counterparts neither block nor wake: glibc does what they do.)

use std::ffi::{c_int, c_void};
use std::sync::atomic::AtomicI32;

use super::call::stand_in_for_calls;
use super::clock::sleep_for;
use super::condition::Condition;
use super::mutex::Mutex;
use super::{nanoseconds, once, specific, stand_in, thread};
use crate::control::real::real;
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

    fn tss_create(key: *mut Key, destructor: Option<Destructor>) -> c_int |active| {
        let Some(made) = specific::create(active, destructor) else { return ERROR };
        // SAFETY: the caller's promise.
        unsafe { *key = made };
        SUCCESS
    }
}

stand_in_for_calls! {
    fn mtx_lock(mutex: &Mutex) -> c_int |active, call| {
        status(mutex.lock(active, call))
    }

    fn mtx_timedlock(mutex: &Mutex, until: &libc::timespec) -> c_int |active, call| {
        status(mutex.lock_until(active, call, libc::CLOCK_REALTIME, until))
    }

    fn mtx_trylock(mutex: &Mutex) -> c_int |active, call| {
        status(mutex.try_lock(active, call))
    }

    fn mtx_unlock(mutex: &Mutex) -> c_int |active, call| {
        status(mutex.unlock(active, call))
    }

    fn cnd_wait(condition: &Condition, mutex: &Mutex) -> c_int |active, call| {
        status(condition.wait(active, mutex, call, None))
    }

    fn cnd_timedwait(condition: &Condition, mutex: &Mutex, until: &libc::timespec) -> c_int |active, call| {
        status(condition.wait_until(active, mutex, call, libc::CLOCK_REALTIME, until))
    }

    fn cnd_signal(condition: &Condition) -> c_int |active, call| {
        condition.notify_one(active, call);
        SUCCESS
    }

    fn cnd_broadcast(condition: &Condition) -> c_int |active, call| {
        condition.notify_all(active, call);
        SUCCESS
    }

    fn call_once(flag: &AtomicI32, routine: once::Routine) |active, call| {
        // SAFETY: the program's promise that it can be called.
        unsafe { once::call(active, flag, routine, call) };
    }

    fn mtx_init(mutex: &Mutex, kind: c_int) -> c_int |active, call| {
        let _unwatched = call.begins_or_ends(active, mutex);
        // SAFETY: passed on unchanged.
        unsafe { real!(mtx_init: fn(&Mutex, c_int) -> c_int)(mutex, kind) }
    }

    fn mtx_destroy(mutex: &Mutex) |active, call| {
        let _unwatched = mutex.begin_to_destroy(active, call);
        // SAFETY: passed on unchanged.
        unsafe { real!(mtx_destroy: fn(&Mutex))(mutex) };
    }

    fn cnd_init(condition: &Condition) -> c_int |active, call| {
        // SAFETY: passed on unchanged.
        condition.initialise(active, call, || unsafe { real!(cnd_init: fn(&Condition) -> c_int)(condition) })
    }

    fn cnd_destroy(condition: &Condition) |active, call| {
        // SAFETY: passed on unchanged.
        condition.destroy(active, call, || unsafe { real!(cnd_destroy: fn(&Condition))(condition) });
    }
}
