//! Clocks and sleeps, in virtual time.

use std::ffi::{c_int, c_uint, c_void};

use super::{deadline, length, set_errno, stand_in, start_of};
use crate::control::active::{Active, active};
use crate::control::controller::{Controller, Wake};
use crate::control::real::real;
use crate::model::op::OpKind;

/// What sleepers wait for: an address that nobody ever wakes.
const NOTHING: usize = 1;

/// C11's only base.
const TIME_UTC: c_int = 1;

/// What a clock shows, in nanoseconds.
fn read(active: &Active, clock: libc::clockid_t) -> u64 {
    active.pass(OpKind::Clock, 0);
    start_of(clock) + active.ask(Controller::read_clock)
}

fn timespec(nanoseconds: u64) -> libc::timespec {
    libc::timespec { tv_sec: (nanoseconds / 1_000_000_000) as _, tv_nsec: (nanoseconds % 1_000_000_000) as _ }
}

/// Sleeps; the nanoseconds that are left where the handler of a signal ended the sleep.
fn sleep_until(active: &Active, primitive: &'static str, deadline: u64) -> Option<u64> {
    match active.block_interruptibly(NOTHING, primitive, Some(deadline)) {
        Wake::Interrupted | Wake::Restarted => Some(deadline.saturating_sub(active.ask(|controller| controller.now()))),
        Wake::Notified | Wake::TimedOut => None,
    }
}

/// As `sleep_until`.
pub(super) fn sleep_for(active: &Active, primitive: &'static str, nanoseconds: u64) -> Option<u64> {
    active.pass(OpKind::Sleep, 0);
    let now = active.ask(|controller| controller.now());
    sleep_until(active, primitive, now.saturating_add(nanoseconds))
}

/// What a sleep that takes so long gives: 0, or `EINTR`, with what is left of it in `rest`.
///
/// # Safety
/// `rest` is null or a place for a length of time.
unsafe fn report(left: Option<u64>, rest: *mut libc::timespec) -> c_int {
    let Some(left) = left else { return 0 };
    // SAFETY: the caller's promise.
    if let Some(rest) = unsafe { rest.as_mut() } {
        *rest = timespec(left);
    }
    libc::EINTR
}

/// What the older functions give for that.
fn in_errno(error: c_int) -> c_int {
    if error == 0 {
        return 0;
    }
    set_errno(error);
    -1
}

stand_in! {
    fn timespec_get(time: *mut libc::timespec, base: c_int) -> c_int |active| {
        if base != TIME_UTC {
            return 0;
        }
        let now = read(active, libc::CLOCK_REALTIME);
        // SAFETY: the caller's promise.
        unsafe { *time = timespec(now) };
        base
    }
}

/// Stands in for `clock_gettime`; every clock but those of real time shows the same virtual time.
///
/// # Safety
/// That of `clock_gettime`. The same holds for the others below.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(clock_gettime: fn(libc::clockid_t, *mut libc::timespec) -> c_int)(clock, time) };
    };
    let now = read(active, clock);
    // SAFETY: the caller's promise.
    unsafe { *time = timespec(now) };
    0
}

/// Stands in for `gettimeofday`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn gettimeofday(time: *mut libc::timeval, zone: *mut c_void) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(gettimeofday: fn(*mut libc::timeval, *mut c_void) -> c_int)(time, zone) };
    };
    let now = read(active, libc::CLOCK_REALTIME) / 1_000;
    // SAFETY: the caller's promise.
    unsafe { *time = libc::timeval { tv_sec: (now / 1_000_000) as _, tv_usec: (now % 1_000_000) as _ } };
    0
}

/// Stands in for `time`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn time(place: *mut libc::time_t) -> libc::time_t {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(time: fn(*mut libc::time_t) -> libc::time_t)(place) };
    };
    let now = (read(active, libc::CLOCK_REALTIME) / 1_000_000_000) as libc::time_t;
    // SAFETY: the caller's promise.
    if let Some(place) = unsafe { place.as_mut() } {
        *place = now;
    }
    now
}

/// Stands in for `nanosleep`; only the handler of a signal interrupts it.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn nanosleep(time: *const libc::timespec, rest: *mut libc::timespec) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(nanosleep: fn(*const libc::timespec, *mut libc::timespec) -> c_int)(time, rest) };
    };
    // SAFETY: the caller's promise.
    in_errno(unsafe {
        match length(&*time) {
            Some(length) => report(sleep_for(active, "nanosleep", length), rest),
            None => libc::EINVAL,
        }
    })
}

/// Stands in for `clock_nanosleep`; only the handler of a signal interrupts it.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn clock_nanosleep(
    clock: libc::clockid_t,
    flags: c_int,
    time: *const libc::timespec,
    rest: *mut libc::timespec,
) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe {
            real!(clock_nanosleep: fn(libc::clockid_t, c_int, *const libc::timespec, *mut libc::timespec) -> c_int)(
                clock, flags, time, rest,
            )
        };
    };
    // SAFETY: the caller's promise.
    let time = unsafe { &*time };
    if flags & libc::TIMER_ABSTIME == 0 {
        let Some(length) = length(time) else { return libc::EINVAL };
        // SAFETY: the caller's promise.
        unsafe { report(sleep_for(active, "clock_nanosleep", length), rest) }
    } else {
        let Some(deadline) = deadline(clock, time) else { return libc::EINVAL };
        active.pass(OpKind::Sleep, 0);
        // SAFETY: null. What is left of a sleep until a point of time is not told.
        unsafe { report(sleep_until(active, "clock_nanosleep", deadline), std::ptr::null_mut()) }
    }
}

/// Stands in for `usleep`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn usleep(microseconds: c_uint) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(usleep: fn(c_uint) -> c_int)(microseconds) };
    };
    let left = sleep_for(active, "usleep", u64::from(microseconds) * 1_000);
    in_errno(if left.is_some() { libc::EINTR } else { 0 })
}

/// Stands in for `sleep`; gives the seconds that the handler of a signal left of it.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn sleep(seconds: c_uint) -> c_uint {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(sleep: fn(c_uint) -> c_uint)(seconds) };
    };
    let left = sleep_for(active, "sleep", u64::from(seconds) * 1_000_000_000);
    left.map_or(0, |left| left.div_ceil(1_000_000_000) as c_uint)
}
