//! Mutexes, kept in the `pthread_mutex_t` itself in the way of glibc (so static initialisers, attributes
//! and destruction need no emulation), with virtual threads as owners.

use std::ffi::c_int;

use super::call::{Call, stand_in_for_calls};
use super::deadline;
use crate::control::active::Active;
use crate::control::controller::Wake;
use crate::control::real::real;
use crate::control::sanitizer;
use crate::model::op::OpKind;

/// The start of glibc's `pthread_mutex_t` (the same on all 64-bit targets).
#[repr(C)]
pub struct Mutex {
    /// 0 free, 1 held.
    lock: c_int,
    /// Times that a recursive mutex is held.
    count: u32,
    /// Virtual thread plus one, below 0, so that no thread has it outside of control; 0 while free.
    owner: c_int,
    /// Who holds it, or waits for a condition with it: as long as somebody does, glibc does not destroy it.
    users: u32,
    kind: c_int,
}

const KIND: c_int = 3;
const RECURSIVE: c_int = libc::PTHREAD_MUTEX_RECURSIVE;
const ERROR_CHECK: c_int = libc::PTHREAD_MUTEX_ERRORCHECK;
/// glibc's bits for robust, priority-inheriting and priority-protected mutexes.
const NOT_EMULATED: c_int = 16 | 32 | 64;
/// What a mutex that is emulated can have as its kind: those above, and glibc's bits for one that processes share and for
/// lock elision.
const EMULATED: c_int = KIND | 128 | 256 | 512;

impl Mutex {
    fn is_held_by(&self, active: &Active) -> bool {
        self.lock != 0 && self.owner == owner(active)
    }
}

fn owner(active: &Active) -> c_int {
    -c_int::from(active.current()) - 1
}

/// # Safety
/// `mutex` can be read.
#[inline]
unsafe fn is_emulated(mutex: *const Mutex) -> bool {
    // SAFETY: the caller's promise. Read anew each time, since others run in between.
    unsafe { (&raw const (*mutex).kind).read_volatile() & !EMULATED == 0 }
}

/// Ends the execution, at a mutex that is not emulated.
///
/// # Safety
/// As `is_emulated`.
#[cold]
unsafe fn refuse(active: &Active, mutex: *const Mutex, call: Call) -> ! {
    // SAFETY: the caller's promise.
    if unsafe { (*mutex).kind } & !(EMULATED | NOT_EMULATED) != 0 {
        active.misuse(call.primitive, "on a mutex that was destroyed or never initialised");
    }
    active.refuse(&format!("{} on a robust or priority mutex", call.primitive))
}

/// Takes the mutex for the calling virtual thread, after the scheduling point of doing so.
///
/// # Safety
/// `mutex` is an initialised mutex.
#[inline(always)]
pub(super) unsafe fn take(active: &Active, mutex: *mut Mutex, call: Call, deadline: Option<u64>) -> c_int {
    call.uses(active, mutex);
    // SAFETY: the caller's promise; here and below, every access ends before another thread runs.
    if unsafe { (*mutex).lock == 0 && is_emulated(mutex) } {
        // SAFETY: as above.
        unsafe { hold(active, mutex) };
        return 0;
    }
    // SAFETY: as above.
    unsafe { take_slowly(active, mutex, call, deadline) }
}

/// As `take`, of any mutex in any state.
///
/// # Safety
/// As `take`.
#[inline(never)]
unsafe fn take_slowly(active: &Active, mutex: *mut Mutex, call: Call, deadline: Option<u64>) -> c_int {
    // SAFETY: as in `take`.
    unsafe {
        if !is_emulated(mutex) {
            refuse(active, mutex, call);
        }
    }
    // SAFETY: as above.
    if unsafe { (*mutex).is_held_by(active) } {
        // SAFETY: as above.
        match unsafe { (*mutex).kind } & KIND {
            RECURSIVE => {
                // SAFETY: as above.
                let Some(count) = (unsafe { (*mutex).count }).checked_add(1) else { return libc::EAGAIN };
                // SAFETY: as above.
                unsafe { (*mutex).count = count };
                return 0;
            }
            ERROR_CHECK => return libc::EDEADLK,
            _ => {} // Waits for itself: a deadlock, as it is on a real machine.
        }
    }
    loop {
        // SAFETY: as above. Read anew each time, since others run in between.
        if unsafe { (&raw const (*mutex).lock).read_volatile() } == 0 {
            break;
        }
        if active.block(mutex as usize, call.primitive, deadline) == Wake::TimedOut {
            return libc::ETIMEDOUT;
        }
        call.uses(active, mutex);
        // SAFETY: as above.
        unsafe {
            if !is_emulated(mutex) {
                refuse(active, mutex, call); // It was destroyed meanwhile.
            }
        }
    }
    // SAFETY: as above.
    unsafe { hold(active, mutex) };
    0
}

/// Makes the calling virtual thread the owner of a free mutex.
///
/// # Safety
/// As `take`.
#[inline]
unsafe fn hold(active: &Active, mutex: *mut Mutex) {
    // SAFETY: as in `take`.
    unsafe {
        (*mutex).lock = 1;
        (*mutex).count = 1;
        (*mutex).owner = owner(active);
        begin_use(mutex);
    }
    sanitizer::acquire(mutex as usize);
}

/// The calling virtual thread uses the mutex, so that it cannot be destroyed.
///
/// # Safety
/// As `take`.
pub(super) unsafe fn begin_use(mutex: *mut Mutex) {
    // SAFETY: the caller's promise.
    unsafe { (*mutex).users = (*mutex).users.wrapping_add(1) };
}

/// # Safety
/// As `take`, after `begin_use`.
pub(super) unsafe fn end_use(mutex: *mut Mutex) {
    // SAFETY: the caller's promise.
    unsafe { (*mutex).users = (*mutex).users.wrapping_sub(1) };
}

/// A thread is about to give up a mutex that it does not hold: the error that this is, if it is one, and else a misuse.
/// Whether a mutex may be given up that was taken outside of control is not known.
///
/// # Safety
/// As `take`.
#[cold]
unsafe fn refuse_to_give_up(active: &Active, mutex: *const Mutex, call: Call) -> c_int {
    // SAFETY: as in `take`.
    let state = unsafe { mutex.read() };
    match state.kind & KIND {
        RECURSIVE | ERROR_CHECK => libc::EPERM,
        _ if state.lock == 0 => active.misuse(call.primitive, "on a mutex that nobody holds"),
        _ if state.owner < 0 => active.misuse(call.primitive, "on a mutex that another thread holds"),
        _ => 0,
    }
}

/// Gives the mutex up and wakes those who wait for it, after the point of doing so.
///
/// # Safety
/// `mutex` is an initialised mutex.
#[inline]
pub(super) unsafe fn give_up(active: &Active, mutex: *mut Mutex, call: Call) -> c_int {
    call.uses(active, mutex);
    // SAFETY: the caller's promise; nothing here lets another thread run.
    unsafe {
        if !is_emulated(mutex) {
            refuse(active, mutex, call);
        }
        if !(*mutex).is_held_by(active) {
            let error = refuse_to_give_up(active, mutex, call);
            if error != 0 {
                return error;
            }
        }
        if (*mutex).kind & KIND == RECURSIVE && (*mutex).count > 1 {
            (*mutex).count -= 1;
            return 0;
        }
        (*mutex).lock = 0;
        (*mutex).count = 0;
        (*mutex).owner = 0;
        end_use(mutex);
    }
    sanitizer::release(mutex as usize);
    active.ask(|controller| controller.wake_all(mutex as usize));
    0
}

/// # Safety
/// `mutex` is an initialised mutex. The same holds for the others below.
pub(super) unsafe fn lock(active: &Active, mutex: *mut Mutex, call: Call) -> c_int {
    active.pass(OpKind::Lock, mutex as usize);
    // SAFETY: the caller's promise.
    unsafe { take(active, mutex, call, None) }
}

/// # Safety
/// As `lock`.
pub(super) unsafe fn try_lock(active: &Active, mutex: *mut Mutex, call: Call) -> c_int {
    active.pass(OpKind::TryLock, mutex as usize);
    call.uses(active, mutex);
    // SAFETY: the caller's promise.
    unsafe {
        if !is_emulated(mutex) {
            refuse(active, mutex, call);
        }
        let again = (*mutex).is_held_by(active) && (*mutex).kind & KIND == RECURSIVE;
        if (*mutex).lock != 0 && !again {
            return libc::EBUSY;
        }
        take(active, mutex, call, None)
    }
}

/// # Safety
/// As `lock`.
pub(super) unsafe fn lock_until(
    active: &Active,
    mutex: *mut Mutex,
    call: Call,
    clock: libc::clockid_t,
    until: &libc::timespec,
) -> c_int {
    active.pass(OpKind::Lock, mutex as usize);
    let Some(deadline) = deadline(clock, until) else { return libc::EINVAL };
    // SAFETY: the caller's promise.
    unsafe { take(active, mutex, call, Some(deadline)) }
}

/// # Safety
/// As `lock`.
pub(super) unsafe fn unlock(active: &Active, mutex: *mut Mutex, call: Call) -> c_int {
    active.pass(OpKind::Unlock, mutex as usize);
    // SAFETY: the caller's promise.
    unsafe { give_up(active, mutex, call) }
}

stand_in_for_calls! {
    fn pthread_mutex_lock(mutex: *mut Mutex) -> c_int |active, call| {
        // SAFETY: the caller's promise; here and below.
        unsafe { lock(active, mutex, call) }
    }

    fn pthread_mutex_trylock(mutex: *mut Mutex) -> c_int |active, call| {
        // SAFETY: as above.
        unsafe { try_lock(active, mutex, call) }
    }

    fn pthread_mutex_timedlock(mutex: *mut Mutex, until: *const libc::timespec) -> c_int |active, call| {
        // SAFETY: as above.
        unsafe { lock_until(active, mutex, call, libc::CLOCK_REALTIME, &*until) }
    }

    fn pthread_mutex_clocklock(
        mutex: *mut Mutex,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> c_int |active, call| {
        // SAFETY: as above.
        unsafe { lock_until(active, mutex, call, clock, &*until) }
    }

    fn pthread_mutex_unlock(mutex: *mut Mutex) -> c_int |active, call| {
        // SAFETY: as above.
        unsafe { unlock(active, mutex, call) }
    }

    fn pthread_mutex_init(mutex: *mut Mutex, attributes: *const libc::pthread_mutexattr_t) -> c_int |active, call| {
        let _unwatched = call.begins_or_ends(active, mutex);
        // SAFETY: as above.
        unsafe {
            real!(pthread_mutex_init: fn(*mut Mutex, *const libc::pthread_mutexattr_t) -> c_int)(mutex, attributes)
        }
    }

    fn pthread_mutex_destroy(mutex: *mut Mutex) -> c_int |active, call| {
        let _unwatched = call.begins_or_ends(active, mutex);
        // SAFETY: as above.
        unsafe { real!(pthread_mutex_destroy: fn(*mut Mutex) -> c_int)(mutex) }
    }
}
