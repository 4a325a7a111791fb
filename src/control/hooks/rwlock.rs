//! Read-write locks, kept in the `pthread_rwlock_t` itself. Whether readers or writers come first is a choice: all who
//! wait are woken and compete, whatever the lock's attributes prefer.

use std::cell::Cell;
use std::ffi::c_int;

use super::call::{Call, stand_in_for_calls};
use super::deadline;
use crate::control::active::Active;
use crate::control::controller::Wake;
use crate::control::order;
use crate::control::real::real;
use crate::model::op::OpKind;

/// glibc's `pthread_rwlock_t`, as far as it is needed; a fresh one is all zeros in these places.
#[repr(C)]
struct RwLock {
    /// Times that it is held for reading.
    readers: Cell<u32>,
    /// `DESTROYED`, or anything else.
    state: Cell<u32>,
    _other: [Cell<u32>; 4],
    /// Virtual thread plus one that holds it for writing; 0 if none does.
    writer: Cell<c_int>,
}

/// More writers than can wait, which is what glibc counts there.
const DESTROYED: u32 = 0xde57_0bad;

#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Reading,
    Writing,
}

fn writer(active: &Active) -> c_int {
    c_int::from(active.current()) + 1
}

impl RwLock {
    fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    fn is_free(&self, purpose: For) -> bool {
        self.writer.get() == 0 && (purpose == For::Reading || self.readers.get() == 0)
    }

    /// What orders: writers release the lock itself, readers the place behind it. Who reads is ordered after writers alone,
    /// so that races between readers are still seen.
    fn order_of_readers(&self) -> usize {
        self.address() + 8
    }

    fn pass(&self, active: &Active, purpose: For) {
        let kind = if purpose == For::Reading { OpKind::SharedLock } else { OpKind::Lock };
        active.pass(kind, self.address());
    }

    /// The calling thread uses the lock.
    fn touch(&self, active: &Active, call: Call) {
        call.uses(active, self);
        if self.state.get() == DESTROYED {
            call.refuse_dead(active);
        }
    }

    /// Takes the lock, after the scheduling point of doing so.
    fn take(&self, active: &Active, purpose: For, call: Call, deadline: Option<u64>) -> c_int {
        self.touch(active, call);
        if self.writer.get() == writer(active) {
            return libc::EDEADLK;
        }
        while !self.is_free(purpose) {
            if active.block(self.address(), call.primitive, deadline) == Wake::TimedOut {
                return libc::ETIMEDOUT;
            }
            self.touch(active, call);
        }
        self.hold(active, purpose);
        0
    }

    /// It is free for that.
    fn hold(&self, active: &Active, purpose: For) {
        match purpose {
            For::Reading => self.readers.set(self.readers.get() + 1),
            For::Writing => self.writer.set(writer(active)),
        }
        order::acquire(self.address());
        if purpose == For::Writing {
            order::acquire(self.order_of_readers());
        }
        order::locked(self.address(), purpose == For::Reading);
    }

    fn lock(&self, active: &Active, purpose: For, call: Call) -> c_int {
        self.pass(active, purpose);
        self.take(active, purpose, call, None)
    }

    fn try_lock(&self, active: &Active, purpose: For, call: Call) -> c_int {
        active.pass(OpKind::TryLock, self.address());
        self.touch(active, call);
        if !self.is_free(purpose) {
            return libc::EBUSY;
        }
        self.hold(active, purpose);
        0
    }

    fn lock_until(
        &self,
        active: &Active,
        purpose: For,
        call: Call,
        clock: libc::clockid_t,
        until: &libc::timespec,
    ) -> c_int {
        self.pass(active, purpose);
        let Some(deadline) = deadline(clock, until) else { return libc::EINVAL };
        self.take(active, purpose, call, Some(deadline))
    }
}

stand_in_for_calls! {
    fn pthread_rwlock_rdlock(lock: &RwLock) -> c_int |active, call| {
        lock.lock(active, For::Reading, call)
    }

    fn pthread_rwlock_wrlock(lock: &RwLock) -> c_int |active, call| {
        lock.lock(active, For::Writing, call)
    }

    fn pthread_rwlock_tryrdlock(lock: &RwLock) -> c_int |active, call| {
        lock.try_lock(active, For::Reading, call)
    }

    fn pthread_rwlock_trywrlock(lock: &RwLock) -> c_int |active, call| {
        lock.try_lock(active, For::Writing, call)
    }

    fn pthread_rwlock_timedrdlock(lock: &RwLock, until: &libc::timespec) -> c_int |active, call| {
        lock.lock_until(active, For::Reading, call, libc::CLOCK_REALTIME, until)
    }

    fn pthread_rwlock_timedwrlock(lock: &RwLock, until: &libc::timespec) -> c_int |active, call| {
        lock.lock_until(active, For::Writing, call, libc::CLOCK_REALTIME, until)
    }

    fn pthread_rwlock_clockrdlock(
        lock: &RwLock,
        clock: libc::clockid_t,
        until: &libc::timespec,
    ) -> c_int |active, call| {
        lock.lock_until(active, For::Reading, call, clock, until)
    }

    fn pthread_rwlock_clockwrlock(
        lock: &RwLock,
        clock: libc::clockid_t,
        until: &libc::timespec,
    ) -> c_int |active, call| {
        lock.lock_until(active, For::Writing, call, clock, until)
    }

    #[doc = "One that the caller does not hold for writing, and nobody for reading, is left alone (`EPERM`)."]
    fn pthread_rwlock_unlock(lock: &RwLock) -> c_int |active, call| {
        active.pass(OpKind::Unlock, lock.address());
        lock.touch(active, call);
        order::unlocked(lock.address());
        if lock.writer.get() == writer(active) {
            lock.writer.set(0);
            order::release(lock.address());
        } else if lock.readers.get() > 0 {
            lock.readers.set(lock.readers.get() - 1);
            order::release(lock.order_of_readers());
        } else {
            return libc::EPERM;
        }
        active.ask(|controller| controller.wake_all(lock.address()));
        0
    }

    fn pthread_rwlock_init(lock: &RwLock, attributes: *const libc::pthread_rwlockattr_t) -> c_int |active, call| {
        let _unwatched = call.begins_or_ends(active, lock);
        // SAFETY: passed on unchanged; zeros all of it.
        unsafe { real!(pthread_rwlock_init: fn(&RwLock, *const libc::pthread_rwlockattr_t) -> c_int)(lock, attributes) }
    }

    fn pthread_rwlock_destroy(lock: &RwLock) -> c_int |active, call| {
        lock.touch(active, call);
        let _unwatched = call.begins_or_ends(active, lock);
        // SAFETY: passed on unchanged.
        let error = unsafe { real!(pthread_rwlock_destroy: fn(&RwLock) -> c_int)(lock) };
        lock.state.set(DESTROYED);
        error
    }
}
