//! Signals: masks, which are a virtual thread's, and what the process does at each signal. The worker's own are never
//! touched.

mod send;
mod wait;

use std::ffi::c_int;

use super::{set_errno, stand_in};
use crate::control::active::{Active, active};
use crate::control::real::real;
use crate::control::state::signals::kinds::{is_negotiable, is_of_programs};
use crate::control::state::signals::{Action, Set};
use crate::model::op::OpKind;

/// The smallest stack that `sigaltstack` takes.
const SMALLEST_STACK: usize = libc::MINSIGSTKSZ;

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

/// The object that the calling thread's signals are.
fn place(active: &Active) -> usize {
    active.ask(|controller| controller.signals.place(controller.current()))
}

/// Changes what the calling thread blocks, if that changes anything, and takes what it then lets in.
///
/// # Safety
/// That of `pthread_sigmask`.
unsafe fn set_mask(
    active: &Active,
    how: c_int,
    set: *const libc::sigset_t,
    old: *mut libc::sigset_t,
) -> Result<(), c_int> {
    let before = active.ask(|controller| controller.signals.mask(controller.current()));
    if !set.is_null() {
        // SAFETY: the caller's promise.
        let given = unsafe { Set::read(set) };
        let mask = match how {
            libc::SIG_BLOCK => before.or(given),
            libc::SIG_UNBLOCK => before.without(given),
            libc::SIG_SETMASK => given,
            _ => return Err(libc::EINVAL),
        };
        if mask != before {
            active.pass(OpKind::SignalChange, place(active));
            active.ask(|controller| controller.signals.set_mask(controller.current(), mask));
            active.take_signals();
        }
    }
    if !old.is_null() {
        // SAFETY: the caller's promise. It may be where `set` is.
        unsafe { before.write(old) };
    }
    Ok(())
}

/// Changes what the process does at a signal; what it did before.
fn set_action(active: &Active, signal: c_int, new: Option<Action>) -> Result<Action, c_int> {
    if !is_of_programs(signal) || (new.is_some() && !is_negotiable(signal)) {
        return Err(libc::EINVAL);
    }
    active.pass(OpKind::SignalChange, active.ask(|controller| controller.signals.order(signal)));
    let before = active.ask(|controller| controller.signals.action(signal));
    active.acquire_signal(signal);
    if let Some(new) = new {
        active.ask(|controller| controller.signals.set_action(signal, new));
        active.release_signal(signal);
    }
    Ok(before)
}

/// As `signal`: the handler is called with these flags.
fn install(active: &Active, signal: c_int, handler: libc::sighandler_t, flags: c_int) -> libc::sighandler_t {
    let action = Action { handler, flags, mask: Set::default() };
    set_action(active, signal, Some(action)).map(|before| before.handler).unwrap_or_else(|error| {
        set_errno(error);
        libc::SIG_ERR
    })
}

stand_in! {
    fn pthread_sigmask(how: c_int, set: *const libc::sigset_t, old: *mut libc::sigset_t) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe { set_mask(active, how, set, old) }.err().unwrap_or(0)
    }

    fn sigprocmask(how: c_int, set: *const libc::sigset_t, old: *mut libc::sigset_t) -> c_int |active| {
        // SAFETY: the caller's promise.
        report(unsafe { set_mask(active, how, set, old) })
    }

    fn sigaction(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int |active| {
        // SAFETY: the caller's promise; the mask is initialised where the rest is.
        let action = unsafe { new.as_ref() }.map(|new| Action {
            handler: new.sa_sigaction,
            flags: new.sa_flags,
            // SAFETY: the caller's promise.
            mask: unsafe { Set::read(&raw const new.sa_mask) },
        });
        report(set_action(active, signal, action).map(|before| {
            // SAFETY: the caller's promise.
            if let Some(old) = unsafe { old.as_mut() } {
                // SAFETY: plain data, of which zeros are a value.
                *old = unsafe { std::mem::zeroed() };
                (old.sa_sigaction, old.sa_flags) = (before.handler, before.flags);
                // SAFETY: a place for a set.
                unsafe { before.mask.write(&raw mut old.sa_mask) };
            }
        }))
    }

    #[doc = "As glibc's: the signal is blocked in its handler, which stays, and calls go on afterwards."]
    fn signal(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t |active| {
        install(active, signal, handler, libc::SA_RESTART)
    }

    #[doc = "What `signal` is in strict C: the handler is of one use, and its signal is not blocked."]
    fn __sysv_signal(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t |active| {
        install(active, signal, handler, libc::SA_RESETHAND | libc::SA_NODEFER)
    }

    fn sigpending(set: *mut libc::sigset_t) -> c_int |active| {
        active.pass(OpKind::SignalLook, place(active));
        let pending = active.ask(|controller| {
            let current = controller.current();
            controller.signals.pending(current).and(controller.signals.mask(current))
        });
        // SAFETY: the caller's promise.
        unsafe { pending.write(set) };
        0
    }

    #[doc = "The stack is remembered and told, and handlers run on that of their thread."]
    fn sigaltstack(new: *const libc::stack_t, old: *mut libc::stack_t) -> c_int |active| {
        // SAFETY: the caller's promise.
        let new = unsafe { new.as_ref() }.copied();
        let too_small = |new: &libc::stack_t| new.ss_flags & libc::SS_DISABLE == 0 && new.ss_size < SMALLEST_STACK;
        if new.as_ref().is_some_and(too_small) {
            return report(Err(libc::ENOMEM));
        }
        active.ask(|controller| {
            let current = controller.current();
            let stack = controller.signals.alternate_stack(current);
            let before = *stack;
            if let Some(new) = new {
                *stack = new;
            }
            // SAFETY: the caller's promise.
            if let Some(old) = unsafe { old.as_mut() } {
                *old = before;
            }
        });
        0
    }
}

/// Stands in for `siglongjmp`. Where it leaves a handler it is refused: the mask that it would put back is not known.
///
/// # Safety
/// That of the function.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn siglongjmp(environment: usize, value: c_int) -> ! {
    if let Some(active) = active()
        && active.ask(|controller| controller.signals.is_in_handler(controller.current()))
    {
        active.refuse("siglongjmp in the handler of a signal");
    }
    // SAFETY: passed on unchanged.
    unsafe { real!(siglongjmp: fn(usize, c_int) -> !)(environment, value) }
}
