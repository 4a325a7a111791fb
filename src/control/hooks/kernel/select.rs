//! `select` and `pselect`.

use std::ffi::c_int;

use super::poll::{Mask, Polled, enter_all, events_of, wait};
use super::{acquire, report_int};
use crate::control::active::Active;
use crate::control::controller::Controller;
use crate::control::hooks::call::{Call, stand_in_for_calls};
use crate::control::hooks::{length, stand_in};
use crate::control::sanitizer::Unwatched;
use crate::control::state::kernel::Errno;

/// The events of each set, in the order of `select`'s arguments.
const EVENTS: [u32; 3] = [
    (libc::EPOLLRDNORM | libc::EPOLLRDBAND | libc::EPOLLIN | libc::EPOLLHUP | libc::EPOLLERR) as u32,
    (libc::EPOLLWRNORM | libc::EPOLLWRBAND | libc::EPOLLOUT | libc::EPOLLERR) as u32,
    libc::EPOLLPRI as u32,
];

type Sets = [*mut libc::fd_set; 3];

/// A descriptor, and whether it is in each set.
type Row = (c_int, [bool; 3]);

/// # Safety
/// Each set is null or one.
unsafe fn rows(sets: Sets, count: c_int) -> Vec<Row> {
    let contains = |number, set: *mut libc::fd_set| {
        // SAFETY: the caller's promise.
        !set.is_null() && unsafe { libc::FD_ISSET(number, set) }
    };
    let all = (0..count).map(|number| (number, sets.map(|set| contains(number, set))));
    all.filter(|(_, asked)| asked.contains(&true)).collect()
}

/// # Safety
/// As `select`.
unsafe fn select_all(
    active: &Active,
    call: Call,
    count: c_int,
    sets: Sets,
    timeout: Option<u64>,
    mask: Mask,
) -> Result<c_int, Errno> {
    if !(0..=libc::FD_SETSIZE as c_int).contains(&count) {
        return Err(libc::EINVAL);
    }
    let (rows, numbers): (Vec<Row>, Vec<c_int>) = {
        let _unwatched = Unwatched::begin();
        // SAFETY: the caller's promise.
        let rows = unsafe { rows(sets, count) };
        let numbers = rows.iter().map(|(number, _)| *number).collect();
        (rows, numbers)
    };
    let polled = enter_all(active, call, &numbers)?;
    if polled.iter().any(|polled| matches!(polled, Polled::None)) {
        return Err(libc::EBADF);
    }
    let ready = |(_, asked): &Row, polled: &Polled| {
        let events = events_of(active, polled);
        [0, 1, 2].map(|set: usize| asked[set] && events & EVENTS[set] != 0)
    };
    let count_ready = || {
        let each = rows.iter().zip(&polled).map(|(row, polled)| ready(row, polled));
        let count = each.flatten().filter(|is_ready| *is_ready).count() as c_int;
        (count > 0).then_some(count)
    };
    let found = wait(active, call, &polled, timeout, mask, count_ready)?;
    for set in sets.into_iter().filter(|set| !set.is_null()) {
        // SAFETY: the caller's promise.
        unsafe { libc::FD_ZERO(set) };
    }
    for (row, polled) in rows.iter().zip(&polled) {
        let ready = if found.is_some() { ready(row, polled) } else { [false; 3] };
        for (set, _) in sets.into_iter().zip(ready).filter(|(_, is_ready)| *is_ready) {
            // SAFETY: the caller's promise: the descriptor was in it.
            unsafe { libc::FD_SET(row.0, set) };
            if let Polled::Ours(file) = polled {
                acquire(active, *file);
            }
        }
    }
    if found.is_some() {
        active.ask(Controller::progress);
    }
    let _unwatched = Unwatched::begin();
    drop((rows, numbers, polled));
    Ok(found.unwrap_or(0))
}

stand_in_for_calls! {
    #[doc = "As on Linux: what is left of the time is told."]
    fn select(
        count: c_int,
        read: *mut libc::fd_set,
        write: *mut libc::fd_set,
        except: *mut libc::fd_set,
        timeout: *mut libc::timeval,
    ) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        let timeout = unsafe { timeout.as_mut() };
        let time = timeout.as_ref().map(|time| {
            let parts = u64::try_from(time.tv_sec).ok().zip(u64::try_from(time.tv_usec).ok());
            let total = parts.map(|(seconds, micros)| seconds.saturating_mul(1_000_000_000).saturating_add(micros * 1_000));
            total.ok_or(libc::EINVAL)
        });
        let begin = active.ask(|controller| controller.now());
        // SAFETY: the caller's promise.
        let done = time.transpose().and_then(|time| unsafe {
            let done = select_all(active, call, count, [read, write, except], time, Mask::NONE);
            if let Some((timeout, time)) = timeout.zip(time) {
                let passed = active.ask(|controller| controller.now()).saturating_sub(begin);
                let left = time.saturating_sub(passed) / 1_000;
                (timeout.tv_sec, timeout.tv_usec) = ((left / 1_000_000) as _, (left % 1_000_000) as _);
            }
            done
        });
        report_int(done)
    }
}

stand_in! {
    fn pselect(
        count: c_int,
        read: *mut libc::fd_set,
        write: *mut libc::fd_set,
        except: *mut libc::fd_set,
        timeout: *const libc::timespec,
        mask: *const libc::sigset_t,
    ) -> c_int |active| {
        let call = Call { primitive: "pselect", caller: 0 };
        // SAFETY: the caller's promise.
        let timeout = unsafe { timeout.as_ref() }.map(|timeout| length(timeout).ok_or(libc::EINVAL)).transpose();
        // SAFETY: the caller's promise.
        report_int(timeout.and_then(|timeout| unsafe {
            select_all(active, call, count, [read, write, except], timeout, Mask::read(mask))
        }))
    }
}
