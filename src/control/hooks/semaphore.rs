//! POSIX semaphores. The value lives in the `sem_t` itself; a named one is an object of the execution, which no other
//! process sees.

use std::ffi::{CStr, c_char, c_int, c_uint};

use super::call::{Call, stand_in_for_calls};
use super::{deadline, set_errno, stand_in};
use crate::control::active::Active;
use crate::control::controller::{Controller, Wake};
use crate::control::order;
use crate::control::real::real;
use crate::control::sanitizer::Unwatched;
use crate::control::state::semaphores::{DESTROYED, LARGEST_VALUE, NamedSemaphores, Semaphore};
use crate::model::op::{Op, OpKind};

/// glibc's bound of a name, without its slash.
const LONGEST_NAME: usize = libc::NAME_MAX as usize - 4;

/// The name without the slash that it may begin with.
///
/// # Safety
/// `name` is a C string.
unsafe fn plain_name<'a>(name: *const c_char) -> Result<&'a [u8], c_int> {
    // SAFETY: the caller's promise.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    let name = name.strip_prefix(b"/").unwrap_or(name);
    match name {
        [] => Err(libc::EINVAL),
        name if name.contains(&b'/') => Err(libc::EINVAL),
        name if name.len() > LONGEST_NAME => Err(libc::ENAMETOOLONG),
        name => Ok(name),
    }
}

/// Asks for something about the named semaphores.
fn named<R>(active: &Active, question: impl FnOnce(&mut NamedSemaphores) -> Result<R, c_int>) -> Result<R, c_int> {
    let _unwatched = Unwatched::begin();
    active.ask(|controller| question(&mut controller.semaphores).inspect(|_| controller.progress()))
}

/// What the C functions give: 0, or -1 and `errno`.
fn report(result: Result<(), c_int>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => {
            set_errno(error);
            -1
        }
    }
}

/// Takes one, after the scheduling point of doing so.
#[inline(always)]
fn take(active: &Active, semaphore: &Semaphore, call: Call, deadline: Option<u64>) -> Result<(), c_int> {
    while !try_take(active, semaphore, call) {
        match active.block_interruptibly(semaphore.address(), call.primitive, deadline) {
            Wake::Notified | Wake::Restarted => {}
            Wake::Interrupted => return Err(libc::EINTR),
            Wake::TimedOut => {
                active.ask(Controller::progress); // Time went on.
                return Err(libc::ETIMEDOUT);
            }
        }
    }
    Ok(())
}

/// The calling thread uses the semaphore.
#[inline(always)]
fn touch(active: &Active, semaphore: &Semaphore, call: Call) {
    call.uses(active, semaphore);
    if semaphore.is_destroyed() {
        call.refuse_dead(active);
    }
}

#[inline(always)]
fn try_take(active: &Active, semaphore: &Semaphore, call: Call) -> bool {
    touch(active, semaphore, call);
    let value = semaphore.value.get();
    if value == 0 {
        return false;
    }
    semaphore.value.set(value - 1);
    order::acquire(semaphore.address());
    active.ask(Controller::progress);
    true
}

fn take_until(
    active: &Active,
    semaphore: &Semaphore,
    call: Call,
    clock: libc::clockid_t,
    until: &libc::timespec,
) -> Result<(), c_int> {
    active.pass(OpKind::SemaphoreWait, semaphore.address());
    let deadline = deadline(clock, until).ok_or(libc::EINVAL)?;
    take(active, semaphore, call, Some(deadline))
}

stand_in_for_calls! {
    fn sem_wait(semaphore: &Semaphore) -> c_int |active, call| {
        active.pass_often(Op::new(OpKind::SemaphoreWait, semaphore.address()));
        report(take(active, semaphore, call, None))
    }

    fn sem_timedwait(semaphore: &Semaphore, until: &libc::timespec) -> c_int |active, call| {
        report(take_until(active, semaphore, call, libc::CLOCK_REALTIME, until))
    }

    fn sem_clockwait(
        semaphore: &Semaphore,
        clock: libc::clockid_t,
        until: &libc::timespec,
    ) -> c_int |active, call| {
        report(take_until(active, semaphore, call, clock, until))
    }

    fn sem_trywait(semaphore: &Semaphore) -> c_int |active, call| {
        active.pass(OpKind::SemaphoreWait, semaphore.address());
        report(if try_take(active, semaphore, call) { Ok(()) } else { Err(libc::EAGAIN) })
    }

    #[doc = "Who of those who wait is woken is a choice; another may come first, and then it waits on."]
    fn sem_post(semaphore: &Semaphore) -> c_int |active, call| {
        active.pass_often(Op::new(OpKind::SemaphorePost, semaphore.address()));
        touch(active, semaphore, call);
        let value = semaphore.value.get();
        if value == LARGEST_VALUE {
            return report(Err(libc::EOVERFLOW));
        }
        semaphore.value.set(value + 1);
        order::release(semaphore.address());
        active.ask(|controller| controller.wake_one(semaphore.address()));
        0
    }

    fn sem_getvalue(semaphore: &Semaphore, value: &mut c_int) -> c_int |active, call| {
        active.pass(OpKind::SemaphoreLook, semaphore.address());
        touch(active, semaphore, call);
        *value = semaphore.value.get() as c_int;
        order::acquire(semaphore.address());
        0
    }

    fn sem_init(semaphore: &Semaphore, shared: c_int, value: c_uint) -> c_int |active, call| {
        let _unwatched = call.begins_or_ends(active, semaphore);
        // SAFETY: passed on unchanged.
        let failed = unsafe { real!(sem_init: fn(&Semaphore, c_int, c_uint) -> c_int)(semaphore, shared, value) };
        if failed == 0 {
            semaphore.state.set(0);
        }
        failed
    }

    fn sem_destroy(semaphore: &Semaphore) -> c_int |active, call| {
        touch(active, semaphore, call);
        let _unwatched = call.begins_or_ends(active, semaphore);
        // SAFETY: passed on unchanged.
        let failed = unsafe { real!(sem_destroy: fn(&Semaphore) -> c_int)(semaphore) };
        semaphore.state.set(DESTROYED);
        failed
    }
}

stand_in! {
    #[doc = "The C function takes the mode and the value only if it may create; they are passed alike, and the mode is"]
    #[doc = "not used."]
    fn sem_open(name: *const c_char, flags: c_int, mode: c_uint, value: c_uint) -> *mut Semaphore |active| {
        active.pass(OpKind::SemaphoreLook, 0);
        // SAFETY: the caller's promise.
        let plain = unsafe { plain_name(name) };
        match plain.and_then(|plain| named(active, |semaphores| semaphores.open(plain, flags, value))) {
            Ok(semaphore) => semaphore,
            Err(error) => {
                let _ = mode;
                set_errno(error);
                std::ptr::null_mut()
            }
        }
    }

    fn sem_close(semaphore: *mut Semaphore) -> c_int |active| {
        active.pass(OpKind::SemaphoreLook, 0);
        report(named(active, |semaphores| semaphores.close(semaphore)))
    }

    fn sem_unlink(name: *const c_char) -> c_int |active| {
        active.pass(OpKind::SemaphoreLook, 0);
        // SAFETY: the caller's promise.
        let plain = unsafe { plain_name(name) };
        report(plain.and_then(|plain| named(active, |semaphores| semaphores.unlink(plain))))
    }
}
