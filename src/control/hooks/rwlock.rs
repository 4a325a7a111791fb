//! Read-write locks, kept in the `pthread_rwlock_t` itself. Whether readers or writers come first is a choice: all who
//! wait are woken and compete, whatever the lock's attributes prefer.

use std::ffi::c_int;

use super::{deadline, stand_in};
use crate::control::active::Active;
use crate::control::controller::Wake;
use crate::control::sanitizer;
use crate::model::op::OpKind;

/// glibc's `pthread_rwlock_t`, as far as it is needed; a fresh one is all zeros in these places.
#[repr(C)]
struct RwLock {
    /// Times that it is held for reading.
    readers: u32,
    _other: [u32; 5],
    /// Virtual thread plus one that holds it for writing; 0 if none does.
    writer: c_int,
}

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

/// Takes the lock, after the scheduling point of doing so.
///
/// # Safety
/// `lock` is an initialised lock.
unsafe fn take(
    active: &Active,
    lock: *mut RwLock,
    purpose: For,
    primitive: &'static str,
    deadline: Option<u64>,
) -> c_int {
    // SAFETY: the caller's promise; here and below, every access ends before another thread runs.
    if unsafe { (*lock).writer } == writer(active) {
        return libc::EDEADLK;
    }
    // SAFETY: as above. Looked at anew each time, since others run in between.
    while !unsafe { lock.read_volatile() }.is_free(purpose) {
        if active.block(lock as usize, primitive, deadline) == Wake::TimedOut {
            return libc::ETIMEDOUT;
        }
    }
    // SAFETY: as above.
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
unsafe fn try_take(active: &Active, lock: *mut RwLock, purpose: For) -> c_int {
    active.pass(OpKind::TryLock, lock as usize);
    // SAFETY: the caller's promise; nothing here lets another thread run.
    unsafe {
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
    primitive: &'static str,
    clock: libc::clockid_t,
    until: *const libc::timespec,
) -> c_int {
    pass(active, lock, purpose);
    // SAFETY: the caller's promise.
    unsafe {
        let Some(deadline) = deadline(clock, &*until) else { return libc::EINVAL };
        take(active, lock, purpose, primitive, Some(deadline))
    }
}

stand_in! {
    fn pthread_rwlock_rdlock(lock: *mut RwLock) -> c_int |active| {
        pass(active, lock, For::Reading);
        // SAFETY: the caller's promise.
        unsafe { take(active, lock, For::Reading, "pthread_rwlock_rdlock", None) }
    }

    fn pthread_rwlock_wrlock(lock: *mut RwLock) -> c_int |active| {
        pass(active, lock, For::Writing);
        // SAFETY: the caller's promise.
        unsafe { take(active, lock, For::Writing, "pthread_rwlock_wrlock", None) }
    }

    fn pthread_rwlock_tryrdlock(lock: *mut RwLock) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe { try_take(active, lock, For::Reading) }
    }

    fn pthread_rwlock_trywrlock(lock: *mut RwLock) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe { try_take(active, lock, For::Writing) }
    }

    fn pthread_rwlock_timedrdlock(lock: *mut RwLock, until: *const libc::timespec) -> c_int |active| {
        let clock = libc::CLOCK_REALTIME;
        // SAFETY: the caller's promise.
        unsafe { take_until(active, lock, For::Reading, "pthread_rwlock_timedrdlock", clock, until) }
    }

    fn pthread_rwlock_timedwrlock(lock: *mut RwLock, until: *const libc::timespec) -> c_int |active| {
        let clock = libc::CLOCK_REALTIME;
        // SAFETY: the caller's promise.
        unsafe { take_until(active, lock, For::Writing, "pthread_rwlock_timedwrlock", clock, until) }
    }

    fn pthread_rwlock_clockrdlock(
        lock: *mut RwLock,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe { take_until(active, lock, For::Reading, "pthread_rwlock_clockrdlock", clock, until) }
    }

    fn pthread_rwlock_clockwrlock(
        lock: *mut RwLock,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe { take_until(active, lock, For::Writing, "pthread_rwlock_clockwrlock", clock, until) }
    }

    #[doc = "One that the caller does not hold for writing, and nobody for reading, is left alone (`EPERM`)."]
    fn pthread_rwlock_unlock(lock: *mut RwLock) -> c_int |active| {
        active.pass(OpKind::Unlock, lock as usize);
        // SAFETY: the caller's promise; nothing here lets another thread run.
        let state = unsafe { &mut *lock };
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
}
