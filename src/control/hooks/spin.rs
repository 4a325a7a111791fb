//! Spin locks, kept in the `pthread_spinlock_t` itself. Who would spin waits instead: spinning makes no scheduling
//! points, and a lock that is never released shows as a deadlock.

use std::ffi::c_int;

use super::call::{Call, stand_in_for_calls};
use crate::control::active::Active;
use crate::control::real::real;
use crate::control::sanitizer;
use crate::model::op::OpKind;

/// What glibc's `pthread_spin_init` writes.
const FREE: c_int = if cfg!(target_arch = "x86_64") { 1 } else { 0 };
const HELD: c_int = 1 - FREE;
/// Neither.
const DESTROYED: c_int = 0x0bad_de57;

/// # Safety
/// `lock` is an initialised lock.
unsafe fn take(active: &Active, lock: *mut c_int, call: Call) -> bool {
    call.uses(active, lock);
    // SAFETY: the caller's promise; nothing here lets another thread run.
    unsafe {
        match lock.read_volatile() {
            FREE => *lock = HELD,
            HELD => return false,
            _ => call.refuse_dead(active),
        }
    }
    sanitizer::acquire(lock as usize);
    true
}

stand_in_for_calls! {
    fn pthread_spin_lock(lock: *mut c_int) -> c_int |active, call| {
        active.pass(OpKind::Lock, lock as usize);
        // SAFETY: the caller's promise.
        while !unsafe { take(active, lock, call) } {
            active.block(lock as usize, call.primitive, None);
        }
        0
    }

    fn pthread_spin_trylock(lock: *mut c_int) -> c_int |active, call| {
        active.pass(OpKind::TryLock, lock as usize);
        // SAFETY: the caller's promise.
        if unsafe { take(active, lock, call) } { 0 } else { libc::EBUSY }
    }

    fn pthread_spin_unlock(lock: *mut c_int) -> c_int |active, call| {
        active.pass(OpKind::Unlock, lock as usize);
        call.uses(active, lock);
        // SAFETY: the caller's promise.
        unsafe {
            if !matches!(lock.read_volatile(), FREE | HELD) {
                call.refuse_dead(active);
            }
            *lock = FREE;
        }
        sanitizer::release(lock as usize);
        active.ask(|controller| controller.wake_all(lock as usize));
        0
    }

    fn pthread_spin_init(lock: *mut c_int, shared: c_int) -> c_int |active, call| {
        let _unwatched = call.begins_or_ends(active, lock);
        // SAFETY: the caller's promise.
        unsafe { real!(pthread_spin_init: fn(*mut c_int, c_int) -> c_int)(lock, shared) }
    }

    fn pthread_spin_destroy(lock: *mut c_int) -> c_int |active, call| {
        let _unwatched = call.begins_or_ends(active, lock);
        // SAFETY: the caller's promise.
        unsafe {
            let error = real!(pthread_spin_destroy: fn(*mut c_int) -> c_int)(lock);
            *lock = DESTROYED;
            error
        }
    }
}
