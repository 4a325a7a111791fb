//! Read-write locks, kept in the `pthread_rwlock_t` itself. Whether readers or writers come first is a choice: all who
//! wait are woken and compete, whatever the lock's attributes prefer.

use std::ffi::c_int;

use super::call::{Call, stand_in_for_calls};
use super::deadline;
use crate::control::active::Active;
use crate::control::controller::Wake;
use crate::control::real::real;
use crate::control::sanitizer;
use crate::model::op::OpKind;

/// glibc's `pthread_rwlock_t`, as far as it is needed; a fresh one is all zeros in these places.
#[repr(C)]
struct RwLock {
    /// Times that it is held for reading.
    readers: u32,
    /// `DESTROYED`, or anything else.
    state: u32,
    _other: [u32; 4],
    /// Virtual thread plus one that holds it for writing; 0 if none does.
    writer: c_int,
}

/// More writers than can wait, which is what glibc counts there.
const DESTROYED: u32 = 0xde57_0bad;

#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Reading,
    Writing,
}

impl RwLock {
    fn is_free(&self, purpose: For) -> bool {
        self.writer == 0 && (purpose == For::Reading || self.readers == 0)
    }
}

fn writer(active: &Active) -> c_int {
    c_int::from(active.current()) + 1
}

/// What orders: writers release the lock itself, readers the place behind it. Who reads is ordered after writers alone,
/// so that races between readers are still seen.
fn order_of_readers(lock: *const RwLock) -> usize {
    lock as usize + 8
}

fn pass(active: &Active, lock: *const RwLock, purpose: For) {
    let kind = if purpose == For::Reading { OpKind::SharedLock } else { OpKind::Lock };
    active.pass(kind, lock as usize);
}

/// The calling thread uses the lock.
///
/// # Safety
/// It is or was one, if its memory is there.
unsafe fn touch(active: &Active, lock: *const RwLock, call: Call) {
    call.uses(active, lock);
    // SAFETY: the caller's promise, and it is there.
    if unsafe { (&raw const (*lock).state).read_volatile() } == DESTROYED {
        call.refuse_dead(active);
    }
}

/// Takes the lock, after the scheduling point of doing so.
///
/// # Safety
/// `lock` is an initialised lock.
unsafe fn take(active: &Active, lock: *mut RwLock, purpose: For, call: Call, deadline: Option<u64>) -> c_int {
    // SAFETY: the caller's promise; every access ends before another thread runs.
    unsafe { touch(active, lock, call) };
    // SAFETY: the caller's promise.
    if unsafe { (*lock).writer } == writer(active) {
        return libc::EDEADLK;
    }
    // SAFETY: the caller's promise. Looked at anew each time, since others run in between.
    while !unsafe { lock.read_volatile() }.is_free(purpose) {
        if active.block(lock as usize, call.primitive, deadline) == Wake::TimedOut {
            return libc::ETIMEDOUT;
        }
        // SAFETY: the caller's promise.
        unsafe { touch(active, lock, call) };
    }
    // SAFETY: the caller's promise.
    unsafe { hold(active, lock, purpose) };
    0
}

/// # Safety
/// `lock` is an initialised lock that is free for that.
unsafe fn hold(active: &Active, lock: *mut RwLock, purpose: For) {
    // SAFETY: the caller's promise.
    unsafe {
        match purpose {
            For::Reading => (*lock).readers += 1,
            For::Writing => (*lock).writer = writer(active),
        }
    }
    sanitizer::acquire(lock as usize);
    if purpose == For::Writing {
        sanitizer::acquire(order_of_readers(lock));
    }
}

/// # Safety
/// As `take`.
unsafe fn try_take(active: &Active, lock: *mut RwLock, purpose: For, call: Call) -> c_int {
    active.pass(OpKind::TryLock, lock as usize);
    // SAFETY: the caller's promise; nothing here lets another thread run.
    unsafe {
        touch(active, lock, call);
        if !(*lock).is_free(purpose) {
            return libc::EBUSY;
        }
        hold(active, lock, purpose);
    }
    0
}

/// # Safety
/// As `take`.
unsafe fn take_until(
    active: &Active,
    lock: *mut RwLock,
    purpose: For,
    call: Call,
    clock: libc::clockid_t,
    until: *const libc::timespec,
) -> c_int {
    pass(active, lock, purpose);
    // SAFETY: the caller's promise.
    unsafe {
        let Some(deadline) = deadline(clock, &*until) else { return libc::EINVAL };
        take(active, lock, purpose, call, Some(deadline))
    }
}

stand_in_for_calls! {
    fn pthread_rwlock_rdlock(lock: *mut RwLock) -> c_int |active, call| {
        pass(active, lock, For::Reading);
        // SAFETY: the caller's promise.
        unsafe { take(active, lock, For::Reading, call, None) }
    }

    fn pthread_rwlock_wrlock(lock: *mut RwLock) -> c_int |active, call| {
        pass(active, lock, For::Writing);
        // SAFETY: the caller's promise.
        unsafe { take(active, lock, For::Writing, call, None) }
    }

    fn pthread_rwlock_tryrdlock(lock: *mut RwLock) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        unsafe { try_take(active, lock, For::Reading, call) }
    }

    fn pthread_rwlock_trywrlock(lock: *mut RwLock) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        unsafe { try_take(active, lock, For::Writing, call) }
    }

    fn pthread_rwlock_timedrdlock(lock: *mut RwLock, until: *const libc::timespec) -> c_int |active, call| {
        let clock = libc::CLOCK_REALTIME;
        // SAFETY: the caller's promise.
        unsafe { take_until(active, lock, For::Reading, call, clock, until) }
    }

    fn pthread_rwlock_timedwrlock(lock: *mut RwLock, until: *const libc::timespec) -> c_int |active, call| {
        let clock = libc::CLOCK_REALTIME;
        // SAFETY: the caller's promise.
        unsafe { take_until(active, lock, For::Writing, call, clock, until) }
    }

    fn pthread_rwlock_clockrdlock(
        lock: *mut RwLock,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        unsafe { take_until(active, lock, For::Reading, call, clock, until) }
    }

    fn pthread_rwlock_clockwrlock(
        lock: *mut RwLock,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        unsafe { take_until(active, lock, For::Writing, call, clock, until) }
    }

    #[doc = "One that the caller does not hold for writing, and nobody for reading, is left alone (`EPERM`)."]
    fn pthread_rwlock_unlock(lock: *mut RwLock) -> c_int |active, call| {
        active.pass(OpKind::Unlock, lock as usize);
        // SAFETY: the caller's promise; nothing here lets another thread run.
        let state = unsafe {
            touch(active, lock, call);
            &mut *lock
        };
        if state.writer == writer(active) {
            state.writer = 0;
            sanitizer::release(lock as usize);
        } else if state.readers > 0 {
            state.readers -= 1;
            sanitizer::release(order_of_readers(lock));
        } else {
            return libc::EPERM;
        }
        active.ask(|controller| controller.wake_all(lock as usize));
        0
    }

    fn pthread_rwlock_init(lock: *mut RwLock, attributes: *const libc::pthread_rwlockattr_t) -> c_int |active, call| {
        let _unwatched = call.begins_or_ends(active, lock);
        // SAFETY: the caller's promise; zeros all of it.
        unsafe {
            real!(pthread_rwlock_init: fn(*mut RwLock, *const libc::pthread_rwlockattr_t) -> c_int)(lock, attributes)
        }
    }

    fn pthread_rwlock_destroy(lock: *mut RwLock) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        unsafe {
            touch(active, lock, call);
            let _unwatched = call.begins_or_ends(active, lock);
            let error = real!(pthread_rwlock_destroy: fn(*mut RwLock) -> c_int)(lock);
            (*lock).state = DESTROYED;
            error
        }
    }
}
