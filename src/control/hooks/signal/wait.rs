//! Waiting for signals.

use std::ffi::c_int;

use super::{place, report};
use crate::control::active::{Active, information};
use crate::control::controller::{Controller, Wake};
use crate::control::hooks::{length, set_errno, stand_in};
use crate::control::state::signals::Set;
use crate::model::op::OpKind;

/// Takes a signal of the set, which the caller blocks; its number and whether it was sent to the process.
fn take(active: &Active, primitive: &'static str, set: Set, length: Option<u64>) -> Result<(c_int, bool), c_int> {
    active.pass(OpKind::SignalWait, place(active));
    let current = active.current();
    let deadline = length.map(|length| active.ask(|controller| controller.now()).saturating_add(length));
    loop {
        if let Some(taken) = active.ask(|controller| controller.signals.take(current, set)) {
            active.ask(Controller::progress);
            active.acquire_signal(taken.0);
            return Ok(taken);
        }
        active.ask(|controller| controller.signals.set_awaits(current, set));
        let wake = active.block_interruptibly(place(active), primitive, deadline);
        active.ask(|controller| controller.signals.set_awaits(current, Set::default()));
        match wake {
            Wake::Notified => {}
            Wake::TimedOut => return Err(libc::EAGAIN),
            Wake::Interrupted | Wake::Restarted => return Err(libc::EINTR),
        }
    }
}

/// # Safety
/// `told` is null or a place for what is told of a signal.
unsafe fn tell(taken: Result<(c_int, bool), c_int>, told: *mut libc::siginfo_t) -> c_int {
    match taken {
        Ok((signal, to_process)) => {
            // SAFETY: the caller's promise.
            if let Some(told) = unsafe { told.as_mut() } {
                *told = information(signal, to_process);
            }
            signal
        }
        Err(error) => {
            set_errno(error);
            -1
        }
    }
}

/// Waits until a handler has run, with these signals blocked.
fn suspend(active: &Active, primitive: &'static str, mask: Set) -> c_int {
    active.pass(OpKind::SignalWait, place(active));
    let current = active.current();
    let before = active.ask(|controller| {
        let before = controller.signals.mask(current);
        controller.signals.set_mask(current, mask);
        before
    });
    if !active.take_signals().is_any() {
        while active.block_interruptibly(place(active), primitive, None) == Wake::Notified {}
    }
    active.ask(|controller| controller.signals.set_mask(current, before));
    active.take_signals();
    report(Err(libc::EINTR))
}

stand_in! {
    fn sigwait(set: *const libc::sigset_t, taken: *mut c_int) -> c_int |active| {
        // SAFETY: the caller's promise.
        let set = unsafe { Set::read(set) };
        loop {
            match take(active, "sigwait", set, None) {
                Ok((signal, _)) => {
                    // SAFETY: the caller's promise.
                    unsafe { *taken = signal };
                    return 0;
                }
                Err(libc::EINTR) => {}
                Err(error) => return error,
            }
        }
    }

    fn sigwaitinfo(set: *const libc::sigset_t, told: *mut libc::siginfo_t) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe { tell(take(active, "sigwaitinfo", Set::read(set), None), told) }
    }

    fn sigtimedwait(
        set: *const libc::sigset_t,
        told: *mut libc::siginfo_t,
        time: *const libc::timespec,
    ) -> c_int |active| {
        // SAFETY: the caller's promise.
        let (set, time) = unsafe { (Set::read(set), time.as_ref()) };
        let taken = match time.map(length) {
            Some(None) => Err(libc::EINVAL),
            length => take(active, "sigtimedwait", set, length.flatten()),
        };
        // SAFETY: the caller's promise.
        unsafe { tell(taken, told) }
    }

    fn sigsuspend(mask: *const libc::sigset_t) -> c_int |active| {
        // SAFETY: the caller's promise.
        suspend(active, "sigsuspend", unsafe { Set::read(mask) })
    }

    fn pause() -> c_int |active| {
        let mask = active.ask(|controller| controller.signals.mask(controller.current()));
        suspend(active, "pause", mask)
    }
}
