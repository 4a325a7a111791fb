//! Spin locks, kept in the `pthread_spinlock_t` itself. Who would spin waits instead: spinning makes no scheduling
//! points, and a lock that is never released shows as a deadlock.

use std::ffi::c_int;

use super::stand_in;
use crate::control::sanitizer;
use crate::model::op::OpKind;

/// What glibc's `pthread_spin_init` writes.
const FREE: c_int = if cfg!(target_arch = "x86_64") { 1 } else { 0 };
const HELD: c_int = 1 - FREE;

/// # Safety
/// `lock` is an initialised lock.
unsafe fn take(lock: *mut c_int) -> bool {
    // SAFETY: the caller's promise; nothing here lets another thread run.
    unsafe {
        if lock.read_volatile() != FREE {
            return false;
        }
        *lock = HELD;
    }
    sanitizer::acquire(lock as usize);
    true
}

stand_in! {
    fn pthread_spin_lock(lock: *mut c_int) -> c_int |active| {
        active.pass(OpKind::Lock, lock as usize);
        // SAFETY: the caller's promise.
        while !unsafe { take(lock) } {
            active.block(lock as usize, "pthread_spin_lock", None);
        }
        0
    }

    fn pthread_spin_trylock(lock: *mut c_int) -> c_int |active| {
        active.pass(OpKind::TryLock, lock as usize);
        // SAFETY: the caller's promise.
        if unsafe { take(lock) } { 0 } else { libc::EBUSY }
    }

    fn pthread_spin_unlock(lock: *mut c_int) -> c_int |active| {
        active.pass(OpKind::Unlock, lock as usize);
        // SAFETY: the caller's promise.
        unsafe { *lock = FREE };
        sanitizer::release(lock as usize);
        active.ask(|controller| controller.wake_all(lock as usize));
        0
    }
}
