//! Masks of signals: a look is harmless, but a change would be one for every fiber of the OS thread, and is refused.

use std::ffi::c_int;

use super::stand_in;
use crate::control::active::Active;
use crate::control::real::real;

/// The real call, which under control must only look.
///
/// # Safety
/// That of `pthread_sigmask`.
unsafe fn look(active: &Active, name: &str, how: c_int, set: *const libc::sigset_t, old: *mut libc::sigset_t) -> c_int {
    // SAFETY: the caller's promise; the real call only reads the mask.
    unsafe {
        let mut mask: libc::sigset_t = std::mem::zeroed();
        let mask_of = real!(pthread_sigmask: fn(c_int, *const libc::sigset_t, *mut libc::sigset_t) -> c_int);
        mask_of(libc::SIG_BLOCK, std::ptr::null(), &raw mut mask);
        if let Some(set) = set.as_ref()
            && (1..=libc::SIGRTMAX()).any(|signal| changes(how, set, &mask, signal))
        {
            active.refuse(name);
        }
        if let Some(old) = old.as_mut() {
            *old = mask;
        }
    }
    0
}

/// Whether the call would change what the mask says of a signal.
fn changes(how: c_int, set: &libc::sigset_t, mask: &libc::sigset_t, signal: c_int) -> bool {
    // SAFETY: both are initialised sets.
    let (given, blocked) = unsafe { (libc::sigismember(set, signal) == 1, libc::sigismember(mask, signal) == 1) };
    match how {
        libc::SIG_BLOCK => given && !blocked,
        libc::SIG_UNBLOCK => given && blocked,
        _ => given != blocked,
    }
}

stand_in! {
    #[doc = "A call that changes something is refused."]
    fn pthread_sigmask(how: c_int, set: *const libc::sigset_t, old: *mut libc::sigset_t) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe { look(active, "pthread_sigmask", how, set, old) }
    }

    #[doc = "A call that changes something is refused."]
    fn sigprocmask(how: c_int, set: *const libc::sigset_t, old: *mut libc::sigset_t) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe { look(active, "sigprocmask", how, set, old) }
    }
}
