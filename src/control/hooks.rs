//! The functions that stand in for the system's: each is emulated while a controlled execution runs on
//! the calling thread, and passes the call on unchanged otherwise.

mod allocation;
mod annotations;
mod atomic;
mod barrier;
mod c11;
mod call;
mod clock;
mod condition;
mod exit;
mod file;
mod futex;
mod heap;
mod kernel;
mod memory;
mod mutex;
mod once;
mod random;
mod refused;
mod rwlock;
mod semaphore;
mod signal;
mod specific;
mod spin;
mod system_call;
mod thread;
mod thread_exit;
mod thread_local;
mod weak;

use std::ffi::c_int;

pub(super) use allocation::watch_allocations;
pub(super) use atomic::{look_at, set_origin};
pub(super) use file::close_left;
pub(super) use kernel::warm_up;
pub(super) use specific::LastingKeys;

/// Virtual nanoseconds at which `CLOCK_REALTIME` and the other clocks start. Both are far from zero, so
/// that subtracting a time-out does not underflow, and apart, so that a mix-up shows.
const REALTIME_START: u64 = 1_700_000_000_000_000_000;
const MONOTONIC_START: u64 = 1_000_000_000_000;

/// A point of time in nanoseconds; `None` if it is not normalised (`EINVAL`). Times before 0
/// are 0.
fn nanoseconds(time: &libc::timespec) -> Option<u64> {
    let nanoseconds = u64::try_from(time.tv_nsec).ok().filter(|&part| part < 1_000_000_000)?;
    let Ok(seconds) = u64::try_from(time.tv_sec) else { return Some(0) };
    Some(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds))
}

/// Virtual nanoseconds since the start of the execution at which a clock shows `time`; `None` as above.
fn deadline(clock: libc::clockid_t, time: &libc::timespec) -> Option<u64> {
    nanoseconds(time).map(|time| time.saturating_sub(start_of(clock)))
}

/// What a clock shows when an execution starts.
fn start_of(clock: libc::clockid_t) -> u64 {
    match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_REALTIME_ALARM | libc::CLOCK_TAI => {
            REALTIME_START
        }
        _ => MONOTONIC_START,
    }
}

/// A length of time in nanoseconds; `None` if it is not normalised or negative (`EINVAL`).
fn length(time: &libc::timespec) -> Option<u64> {
    nanoseconds(time).filter(|_| time.tv_sec >= 0)
}

/// Says in `errno` why a call fails.
fn set_errno(error: c_int) {
    // SAFETY: the calling thread's own variable.
    unsafe { *libc::__errno_location() = error };
}

/// Hooks: `fn name(arguments) -> result |active| { what happens under control }`. Otherwise the call is passed on.
macro_rules! stand_in {
    ($($(#[doc = $doc:literal])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?
        |$active:ident| $body:block)*) => {$(
        #[doc = concat!("Stands in for `", stringify!($name), "`; the same guarantees.")]
        $(#[doc = $doc])*
        ///
        /// # Safety
        /// That of the function.
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name($($argument: $type),*) $(-> $result)? {
            let Some($active) = $crate::control::active::active() else {
                // SAFETY: passed on unchanged.
                return unsafe {
                    $crate::control::real::real!($name: fn($($type),*) $(-> $result)?)($($argument),*)
                };
            };
            $body
        }
    )*};
}
use stand_in;
