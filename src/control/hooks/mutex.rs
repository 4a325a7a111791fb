//! Mutexes, kept in the `pthread_mutex_t` itself in the way of glibc (so static initialisers, attributes
//! and destruction need no emulation), with virtual threads as owners.

use std::cell::Cell;
use std::ffi::c_int;

use super::call::{Call, stand_in_for_calls};
use super::deadline;
use crate::control::active::Active;
use crate::control::controller::Wake;
use crate::control::order;
use crate::control::real::real;
use crate::control::sanitizer::Unwatched;
use crate::model::op::{Op, OpKind};
use crate::strategy::Use;

/// The start of glibc's `pthread_mutex_t` (the same on all 64-bit targets). Cells, since other threads change it while one
/// waits.
#[repr(C)]
pub struct Mutex {
    /// 0 free, 1 held.
    lock: Cell<c_int>,
    /// Times that a recursive mutex is held.
    count: Cell<u32>,
    /// Virtual thread plus one, below 0, so that no thread has it outside of control; 0 while free.
    owner: Cell<c_int>,
    /// Who holds it, or waits for a condition with it: as long as somebody does, glibc does not destroy it.
    users: Cell<u32>,
    kind: Cell<c_int>,
}

const KIND: c_int = 3;
const RECURSIVE: c_int = libc::PTHREAD_MUTEX_RECURSIVE;
const ERROR_CHECK: c_int = libc::PTHREAD_MUTEX_ERRORCHECK;
/// glibc's bits for robust, priority-inheriting and priority-protected mutexes.
const NOT_EMULATED: c_int = 16 | 32 | 64;
/// What a mutex that is emulated can have as its kind: those above, and glibc's bits for one that processes share and for
/// lock elision.
const EMULATED: c_int = KIND | 128 | 256 | 512;

fn owner(active: &Active) -> c_int {
    -c_int::from(active.current()) - 1
}

impl Mutex {
    pub(super) fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    fn is_held_by(&self, active: &Active) -> bool {
        self.lock.get() != 0 && self.owner.get() == owner(active)
    }

    #[inline]
    fn is_emulated(&self) -> bool {
        self.kind.get() & !EMULATED == 0
    }

    /// Ends the execution, at a mutex that is not emulated.
    #[cold]
    fn refuse(&self, active: &Active, call: Call) -> ! {
        if self.kind.get() & !(EMULATED | NOT_EMULATED) != 0 {
            active.misuse(call.primitive, "on a mutex that was destroyed or never initialised");
        }
        active.refuse(&format!("{} on a robust or priority mutex", call.primitive))
    }

    fn expect_emulated(&self, active: &Active, call: Call) {
        if !self.is_emulated() {
            self.refuse(active, call);
        }
    }

    /// Takes the mutex for the calling virtual thread, after the scheduling point of doing so.
    #[inline(always)]
    pub(super) fn take(&self, active: &Active, call: Call, deadline: Option<u64>) -> c_int {
        call.uses(active, self);
        if self.lock.get() == 0 && self.is_emulated() {
            self.hold(active);
            return 0;
        }
        self.take_slowly(active, call, deadline)
    }

    /// As `take`, of any mutex in any state.
    #[inline(never)]
    fn take_slowly(&self, active: &Active, call: Call, deadline: Option<u64>) -> c_int {
        self.expect_emulated(active, call);
        if self.is_held_by(active) {
            match self.kind.get() & KIND {
                RECURSIVE => {
                    let Some(count) = self.count.get().checked_add(1) else { return libc::EAGAIN };
                    self.count.set(count);
                    return 0;
                }
                ERROR_CHECK => return libc::EDEADLK,
                _ => {} // Waits for itself: a deadlock, as it is on a real machine.
            }
        }
        while self.lock.get() != 0 {
            if deadline.is_none() {
                active.ask(|controller| controller.takes_after_wait(self.address()));
            }
            if active.block(self.address(), call.primitive, deadline) == Wake::TimedOut {
                return libc::ETIMEDOUT;
            }
            call.uses(active, self);
            self.expect_emulated(active, call); // It may have been destroyed meanwhile.
        }
        self.hold(active);
        0
    }

    /// Makes the calling virtual thread the owner of a free mutex.
    #[inline]
    fn hold(&self, active: &Active) {
        self.lock.set(1);
        self.count.set(1);
        self.owner.set(owner(active));
        self.begin_use();
        order::acquire(self.address());
        order::locked(self.address(), false);
        active.report(Use::Took(self.address()));
    }

    /// The calling virtual thread uses the mutex, so that it cannot be destroyed.
    pub(super) fn begin_use(&self) {
        self.users.set(self.users.get().wrapping_add(1));
    }

    /// After `begin_use`.
    pub(super) fn end_use(&self) {
        self.users.set(self.users.get().wrapping_sub(1));
    }

    /// A thread is about to give up a mutex that it does not hold: the error that this is, if it is one, and else a misuse.
    /// Whether a mutex may be given up that was taken outside of control is not known.
    #[cold]
    fn refuse_to_give_up(&self, active: &Active, call: Call) -> c_int {
        match self.kind.get() & KIND {
            RECURSIVE | ERROR_CHECK => libc::EPERM,
            _ if self.lock.get() == 0 => active.misuse(call.primitive, "on a mutex that nobody holds"),
            _ if self.owner.get() < 0 => active.misuse(call.primitive, "on a mutex that another thread holds"),
            _ => 0,
        }
    }

    /// It is to be destroyed, which changes nothing while somebody uses it. The real function is called while the result
    /// lives.
    pub(super) fn begin_to_destroy(&self, active: &Active, call: Call) -> Unwatched {
        call.expect_alive(active, self.address());
        if self.users.get() == 0 {
            return call.begins_or_ends(active, self);
        }
        call.uses(active, self);
        Unwatched::begin()
    }

    /// Gives the mutex up and wakes those who wait for it, after the point of doing so.
    #[inline(always)]
    pub(super) fn give_up(&self, active: &Active, call: Call) -> c_int {
        call.uses(active, self);
        self.expect_emulated(active, call);
        if !self.is_held_by(active) {
            let error = self.refuse_to_give_up(active, call);
            if error != 0 {
                return error;
            }
        }
        if self.kind.get() & KIND == RECURSIVE && self.count.get() > 1 {
            self.count.set(self.count.get() - 1);
            return 0;
        }
        self.lock.set(0);
        self.count.set(0);
        self.owner.set(0);
        self.end_use();
        order::unlocked(self.address());
        order::release(self.address());
        active.ask(|controller| {
            controller.report(Use::GaveUp(self.address()));
            controller.wake_all(self.address());
        });
        0
    }

    #[inline(always)]
    pub(super) fn lock(&self, active: &Active, call: Call) -> c_int {
        active.pass_often(Op { waits: true, ..Op::new(OpKind::Lock, self.address()) });
        self.take(active, call, None)
    }

    pub(super) fn try_lock(&self, active: &Active, call: Call) -> c_int {
        active.pass(OpKind::TryLock, self.address());
        call.uses(active, self);
        self.expect_emulated(active, call);
        let again = self.is_held_by(active) && self.kind.get() & KIND == RECURSIVE;
        if self.lock.get() != 0 && !again {
            active.report(Use::Looked(self.address()));
            return libc::EBUSY;
        }
        self.take(active, call, None)
    }

    pub(super) fn lock_until(
        &self,
        active: &Active,
        call: Call,
        clock: libc::clockid_t,
        until: &libc::timespec,
    ) -> c_int {
        active.pass(OpKind::Lock, self.address());
        let Some(deadline) = deadline(clock, until) else { return libc::EINVAL };
        self.take(active, call, Some(deadline))
    }

    #[inline(always)]
    pub(super) fn unlock(&self, active: &Active, call: Call) -> c_int {
        active.pass_often(Op::new(OpKind::Unlock, self.address()));
        self.give_up(active, call)
    }
}

stand_in_for_calls! {
    fn pthread_mutex_lock(mutex: &Mutex) -> c_int |active, call| {
        mutex.lock(active, call)
    }

    fn pthread_mutex_trylock(mutex: &Mutex) -> c_int |active, call| {
        mutex.try_lock(active, call)
    }

    fn pthread_mutex_timedlock(mutex: &Mutex, until: &libc::timespec) -> c_int |active, call| {
        mutex.lock_until(active, call, libc::CLOCK_REALTIME, until)
    }

    fn pthread_mutex_clocklock(
        mutex: &Mutex,
        clock: libc::clockid_t,
        until: &libc::timespec,
    ) -> c_int |active, call| {
        mutex.lock_until(active, call, clock, until)
    }

    fn pthread_mutex_unlock(mutex: &Mutex) -> c_int |active, call| {
        mutex.unlock(active, call)
    }

    fn pthread_mutex_init(mutex: &Mutex, attributes: *const libc::pthread_mutexattr_t) -> c_int |active, call| {
        let _unwatched = call.begins_or_ends(active, mutex);
        active.report(Use::GaveUp(mutex.address()));
        // SAFETY: passed on unchanged.
        unsafe { real!(pthread_mutex_init: fn(&Mutex, *const libc::pthread_mutexattr_t) -> c_int)(mutex, attributes) }
    }

    fn pthread_mutex_destroy(mutex: &Mutex) -> c_int |active, call| {
        let _unwatched = mutex.begin_to_destroy(active, call);
        // SAFETY: passed on unchanged.
        unsafe { real!(pthread_mutex_destroy: fn(&Mutex) -> c_int)(mutex) }
    }
}
