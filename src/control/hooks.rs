//! The functions that stand in for the system's: each is emulated while a controlled execution runs on
//! the calling thread, and passes the call on unchanged otherwise.

mod allocation;
mod atomic;
mod clock;
mod condition;
mod errno;
mod exit;
mod file;
mod futex;
mod memory;
mod mutex;
mod once;
mod refused;
mod thread;

pub(super) use errno::own_errno;
pub(super) use exit::{ExitHandler, prepare_exit};
pub(super) use file::{Listings, close_left};

/// Virtual nanoseconds at which `CLOCK_REALTIME` and the other clocks start. Both are far from zero, so
/// that subtracting a time-out does not underflow, and apart, so that a mix-up shows.
const REALTIME_START: u64 = 1_700_000_000_000_000_000;
const MONOTONIC_START: u64 = 1_000_000_000_000;

/// A length or point of time in nanoseconds; `None` if it is not normalised (`EINVAL`). Times before 0
/// are 0.
fn nanoseconds(time: &libc::timespec) -> Option<u64> {
    let nanoseconds = u64::try_from(time.tv_nsec).ok().filter(|&part| part < 1_000_000_000)?;
    let Ok(seconds) = u64::try_from(time.tv_sec) else { return Some(0) };
    Some(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds))
}

/// Virtual nanoseconds since the start of the execution at which a clock shows `time`; `None` as above.
fn deadline(clock: libc::clockid_t, time: &libc::timespec) -> Option<u64> {
    let start = if clock == libc::CLOCK_REALTIME { REALTIME_START } else { MONOTONIC_START };
    nanoseconds(time).map(|time| time.saturating_sub(start))
}
