//! Events, timers, signals and pipes: how they begin, and what is done with them that is not a read or a write.

use std::ffi::{c_int, c_uint};

use super::{ask, enter, made, mark, report_int};
use crate::control::active::Active;
use crate::control::controller::Controller;
use crate::control::hooks::call::{Call, stand_in_for_calls};
use crate::control::hooks::{length, start_of};
use crate::control::state::kernel::{Errno, Object, Timer};
use crate::control::state::signals::Set;
use crate::model::op::OpKind;

/// A descriptor with these flags, which are the same for all that begins here.
fn create(active: &Active, call: Call, object: Object, flags: c_int) -> Result<c_int, Errno> {
    active.pass(OpKind::Descriptor, 0);
    let number = ask(active, |kernel| {
        let number = kernel.open(object, flags & libc::O_NONBLOCK != 0)?;
        kernel.set_closes_on_exec(number, flags & libc::O_CLOEXEC != 0);
        Ok(number)
    });
    made(active, call, number)
}

/// Ends the call if it has other flags than those.
fn expect(flags: c_int, known: c_int) -> Result<(), Errno> {
    if flags & !known == 0 { Ok(()) } else { Err(libc::EINVAL) }
}

/// Two descriptors at once, stored at `place`.
///
/// # Safety
/// `place` has room for them.
pub(super) unsafe fn store_pair(
    active: &Active,
    call: Call,
    pair: Result<[c_int; 2], Errno>,
    flags: c_int,
    place: *mut c_int,
) -> Result<c_int, Errno> {
    let pair = match pair {
        Err(libc::EMFILE) => active.refuse("more descriptors than an execution may have"),
        pair => pair?,
    };
    for (index, number) in pair.into_iter().enumerate() {
        mark(active, call, number);
        ask(active, |kernel| kernel.set_closes_on_exec(number, flags & libc::O_CLOEXEC != 0));
        // SAFETY: the caller's promise.
        unsafe { *place.add(index) = number };
    }
    active.ask(Controller::progress);
    Ok(0)
}

/// # Safety
/// As `pipe2`.
unsafe fn make_pipe(active: &Active, call: Call, ends: *mut c_int, flags: c_int) -> Result<c_int, Errno> {
    if flags & libc::O_DIRECT != 0 {
        active.refuse("pipe2 with O_DIRECT");
    }
    expect(flags, libc::O_NONBLOCK | libc::O_CLOEXEC)?;
    active.pass(OpKind::Descriptor, 0);
    let pair = ask(active, |kernel| kernel.pipe(flags & libc::O_NONBLOCK != 0));
    // SAFETY: the caller's promise.
    unsafe { store_pair(active, call, pair, flags, ends) }
}

fn timespec(nanoseconds: u64) -> libc::timespec {
    libc::timespec { tv_sec: (nanoseconds / 1_000_000_000) as _, tv_nsec: (nanoseconds % 1_000_000_000) as _ }
}

/// What is left of a timer.
fn rest(timer: &Timer, now: u64) -> libc::itimerspec {
    // A timer that is armed shows at least a nanosecond.
    let left = timer.expiry.map_or(0, |expiry| expiry.saturating_sub(now).max(1));
    libc::itimerspec { it_interval: timespec(timer.interval), it_value: timespec(left) }
}

fn set_timer(
    active: &Active,
    call: Call,
    number: c_int,
    absolute: bool,
    new: &libc::itimerspec,
) -> Result<libc::itimerspec, Errno> {
    let (value, interval) = (length(&new.it_value), length(&new.it_interval));
    let (Some(value), Some(interval)) = (value, interval) else { return Err(libc::EINVAL) };
    let file = enter(active, call, number)?;
    let now = active.ask(|controller| controller.now());
    ask(active, |kernel| {
        let timer = kernel.timer(file)?;
        let (before, start) = (rest(timer, now), start_of(timer.clock));
        let expiry = match value {
            0 => None,
            value if absolute => Some(value.saturating_sub(start)),
            value => Some(now.saturating_add(value)),
        };
        kernel.set_timer(file, expiry, interval)?;
        Ok(before)
    })
    .inspect(|_| active.ask(Controller::progress))
}

stand_in_for_calls! {
    fn eventfd(count: c_uint, flags: c_int) -> c_int |active, call| {
        let known = libc::EFD_NONBLOCK | libc::EFD_CLOEXEC | libc::EFD_SEMAPHORE;
        let object = Object::Event { count: count.into(), semaphore: flags & libc::EFD_SEMAPHORE != 0 };
        report_int(expect(flags, known).and_then(|()| create(active, call, object, flags)))
    }

    fn timerfd_create(clock: c_int, flags: c_int) -> c_int |active, call| {
        let timer = Object::Timer(Timer { clock, expiry: None, interval: 0, ticks: 0 });
        let is_clock = [libc::CLOCK_REALTIME, libc::CLOCK_MONOTONIC, libc::CLOCK_BOOTTIME].contains(&clock);
        let is_right = expect(flags, libc::TFD_NONBLOCK | libc::TFD_CLOEXEC);
        let is_right = is_right.and(if is_clock { Ok(()) } else { Err(libc::EINVAL) });
        report_int(is_right.and_then(|()| create(active, call, timer, flags)))
    }

    fn timerfd_settime(
        number: c_int,
        flags: c_int,
        new: *const libc::itimerspec,
        old: *mut libc::itimerspec,
    ) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        let (new, old) = unsafe { (&*new, old.as_mut()) };
        let set = set_timer(active, call, number, flags & libc::TFD_TIMER_ABSTIME != 0, new);
        report_int(set.map(|before| {
            if let Some(old) = old {
                *old = before;
            }
            0
        }))
    }

    fn timerfd_gettime(number: c_int, current: *mut libc::itimerspec) -> c_int |active, call| {
        let file = enter(active, call, number);
        let now = active.ask(|controller| controller.now());
        let left = file.and_then(|file| ask(active, |kernel| kernel.timer(file).map(|timer| rest(timer, now))));
        report_int(left.map(|left| {
            // SAFETY: the caller's promise.
            unsafe { *current = left };
            0
        }))
    }

    #[doc = "With a descriptor, which signals that takes from now on."]
    fn signalfd(number: c_int, set: *const libc::sigset_t, flags: c_int) -> c_int |active, call| {
        // SAFETY: the caller's promise. As the kernel: these cannot be taken.
        let set = unsafe { Set::read(set) }.without(Set::of(libc::SIGKILL).or(Set::of(libc::SIGSTOP)));
        let known = expect(flags, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC);
        report_int(known.and_then(|()| match number {
            -1 => create(active, call, Object::Signals(set), flags),
            _ => enter(active, call, number).and_then(|file| ask(active, |kernel| {
                kernel.set_signals(file, set).map(|()| number)
            })),
        }))
    }

    fn pipe(ends: *mut c_int) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        report_int(unsafe { make_pipe(active, call, ends, 0) })
    }

    fn pipe2(ends: *mut c_int, flags: c_int) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        report_int(unsafe { make_pipe(active, call, ends, flags) })
    }

    fn epoll_create1(flags: c_int) -> c_int |active, call| {
        let known = expect(flags, libc::EPOLL_CLOEXEC);
        report_int(known.and_then(|()| create(active, call, Object::Epoll(Default::default()), flags)))
    }

    fn epoll_create(size: c_int) -> c_int |active, call| {
        let is_right = if size > 0 { Ok(()) } else { Err(libc::EINVAL) };
        report_int(is_right.and_then(|()| create(active, call, Object::Epoll(Default::default()), 0)))
    }
}
