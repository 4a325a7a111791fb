//! Spin locks, kept in the `pthread_spinlock_t` itself. Who would spin waits instead: spinning makes no scheduling
//! points, and a lock that is never released shows as a deadlock.

use std::cell::Cell;
use std::ffi::c_int;

use super::call::{Call, stand_in_for_calls};
use crate::control::active::Active;
use crate::control::order;
use crate::control::real::real;
use crate::model::op::OpKind;
use crate::strategy::Use;

/// glibc's `pthread_spinlock_t`.
#[repr(transparent)]
struct SpinLock(Cell<c_int>);

/// What glibc's `pthread_spin_init` writes.
const FREE: c_int = if cfg!(target_arch = "x86_64") { 1 } else { 0 };
const HELD: c_int = 1 - FREE;
/// Neither.
const DESTROYED: c_int = 0x0bad_de57;

impl SpinLock {
    fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    fn take(&self, active: &Active, call: Call) -> bool {
        call.uses(active, self);
        match self.0.get() {
            FREE => self.0.set(HELD),
            HELD => return false,
            _ => call.refuse_dead(active),
        }
        order::acquire(self.address());
        order::locked(self.address(), false);
        active.report(Use::Took(self.address()));
        true
    }
}

stand_in_for_calls! {
    fn pthread_spin_lock(lock: &SpinLock) -> c_int |active, call| {
        active.pass_waiting(OpKind::Lock, lock.address());
        while !lock.take(active, call) {
            active.ask(|controller| controller.takes_after_wait(lock.address()));
            active.block(lock.address(), call.primitive, None);
        }
        0
    }

    fn pthread_spin_trylock(lock: &SpinLock) -> c_int |active, call| {
        active.pass(OpKind::TryLock, lock.address());
        if lock.take(active, call) {
            return 0;
        }
        active.report(Use::Looked(lock.address()));
        libc::EBUSY
    }

    fn pthread_spin_unlock(lock: &SpinLock) -> c_int |active, call| {
        active.pass(OpKind::Unlock, lock.address());
        call.uses(active, lock);
        if !matches!(lock.0.get(), FREE | HELD) {
            call.refuse_dead(active);
        }
        lock.0.set(FREE);
        order::unlocked(lock.address());
        order::release(lock.address());
        active.ask(|controller| {
            controller.report(Use::GaveUp(lock.address()));
            controller.wake_all(lock.address());
        });
        0
    }

    fn pthread_spin_init(lock: &SpinLock, shared: c_int) -> c_int |active, call| {
        let _unwatched = call.begins_or_ends(active, lock);
        active.report(Use::GaveUp(lock.address()));
        // SAFETY: passed on unchanged.
        unsafe { real!(pthread_spin_init: fn(&SpinLock, c_int) -> c_int)(lock, shared) }
    }

    fn pthread_spin_destroy(lock: &SpinLock) -> c_int |active, call| {
        let _unwatched = call.begins_or_ends(active, lock);
        // SAFETY: passed on unchanged.
        let error = unsafe { real!(pthread_spin_destroy: fn(&SpinLock) -> c_int)(lock) };
        lock.0.set(DESTROYED);
        error
    }
}
