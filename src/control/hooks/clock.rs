//! Clocks and sleeps, in virtual time.

use std::ffi::{c_int, c_uint, c_void};

use super::{deadline, length, stand_in, start_of};
use crate::control::active::{Active, active};
use crate::control::real::real;
use crate::model::op::OpKind;

/// What sleepers wait for: an address that nobody ever wakes.
const NOTHING: usize = 1;

/// C11's only base.
const TIME_UTC: c_int = 1;

/// What a clock shows, in nanoseconds.
fn read(active: &Active, clock: libc::clockid_t) -> u64 {
    active.pass(OpKind::Clock, 0);
    start_of(clock) + active.ask(|controller| controller.now())
}

fn timespec(nanoseconds: u64) -> libc::timespec {
    libc::timespec { tv_sec: (nanoseconds / 1_000_000_000) as _, tv_nsec: (nanoseconds % 1_000_000_000) as _ }
}

fn sleep_until(active: &Active, primitive: &'static str, deadline: u64) {
    active.block(NOTHING, primitive, Some(deadline));
}

pub(super) fn sleep_for(active: &Active, primitive: &'static str, nanoseconds: u64) {
    active.pass(OpKind::Sleep, 0);
    let now = active.ask(|controller| controller.now());
    sleep_until(active, primitive, now.saturating_add(nanoseconds));
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

/// Stands in for `nanosleep`; never interrupted.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn nanosleep(time: *const libc::timespec, rest: *mut libc::timespec) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(nanosleep: fn(*const libc::timespec, *mut libc::timespec) -> c_int)(time, rest) };
    };
    // SAFETY: the caller's promise; errno is the calling thread's own.
    unsafe {
        let Some(length) = length(&*time) else {
            *libc::__errno_location() = libc::EINVAL;
            return -1;
        };
        sleep_for(active, "nanosleep", length);
    }
    0
}

/// Stands in for `clock_nanosleep`; never interrupted.
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
        sleep_for(active, "clock_nanosleep", length);
    } else {
        let Some(deadline) = deadline(clock, time) else { return libc::EINVAL };
        active.pass(OpKind::Sleep, 0);
        sleep_until(active, "clock_nanosleep", deadline);
    }
    0
}

/// Stands in for `usleep`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn usleep(microseconds: c_uint) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(usleep: fn(c_uint) -> c_int)(microseconds) };
    };
    sleep_for(active, "usleep", u64::from(microseconds) * 1_000);
    0
}

/// Stands in for `sleep`; always sleeps to the end.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn sleep(seconds: c_uint) -> c_uint {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(sleep: fn(c_uint) -> c_uint)(seconds) };
    };
    sleep_for(active, "sleep", u64::from(seconds) * 1_000_000_000);
    0
}
