//! Futexes, under `std::atomic::wait` and what programs build of them.

use std::ffi::{c_int, c_long};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{deadline, length};
use crate::control::active::Active;
use crate::control::controller::Wake;
use crate::model::op::OpKind;
use crate::model::schedule::Injection;

/// Bits of a futex wait or wake that meets all others.
const ANY_BIT: u32 = libc::FUTEX_BITSET_MATCH_ANY as u32;

/// A futex call under control. Which waiter of a futex wakes is a choice.
///
/// # Safety
/// `word` is an aligned, live futex word, and `timeout` null or a `timespec` where the operation has one.
pub(super) unsafe fn futex(
    active: &Active,
    word: *const AtomicU32,
    operation: c_int,
    value: c_long,
    timeout: *const libc::timespec,
    bits: u32,
) -> Result<c_long, c_int> {
    let command = operation & libc::FUTEX_CMD_MASK;
    if matches!(command, libc::FUTEX_WAIT_BITSET | libc::FUTEX_WAKE_BITSET) && bits != ANY_BIT {
        if bits == 0 {
            return Err(libc::EINVAL);
        }
        active.refuse("futex with a bit set");
    }
    let clock = if operation & libc::FUTEX_CLOCK_REALTIME == 0 { libc::CLOCK_MONOTONIC } else { libc::CLOCK_REALTIME };
    match command {
        libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET => {
            active.pass(OpKind::FutexWait, word as usize);
            // SAFETY: the caller's promise.
            let until = match unsafe { timeout.as_ref() } {
                None => None,
                Some(time) if command == libc::FUTEX_WAIT => {
                    let length = length(time).ok_or(libc::EINVAL)?;
                    Some(active.ask(|controller| controller.now()).saturating_add(length))
                }
                Some(time) => Some(deadline(clock, time).ok_or(libc::EINVAL)?),
            };
            loop {
                // SAFETY: the caller's promise. No scheduling point between the look and the wait: they are one step.
                if unsafe { (*word).load(Ordering::SeqCst) } != value as u32 {
                    return Err(libc::EAGAIN);
                }
                if active.inject(Injection::SpuriousWakeUp) {
                    active.pass(OpKind::FutexWait, word as usize);
                    return Ok(0);
                }
                match active.block_interruptibly(word as usize, "futex", until) {
                    Wake::Notified => return Ok(0),
                    Wake::TimedOut => return Err(libc::ETIMEDOUT),
                    Wake::Interrupted => return Err(libc::EINTR),
                    Wake::Restarted => {}
                }
            }
        }
        libc::FUTEX_WAKE | libc::FUTEX_WAKE_BITSET => {
            active.pass(OpKind::FutexWake, word as usize);
            let most = c_long::from(value as c_int);
            let mut woken = 0;
            while woken < most && active.ask(|controller| controller.wake_one(word as usize)) {
                woken += 1;
            }
            Ok(woken)
        }
        other => active.refuse(&format!("futex operation {other}")),
    }
}
