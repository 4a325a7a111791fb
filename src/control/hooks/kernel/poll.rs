//! `poll` and `ppoll`, and waits for any of several descriptors.

use std::ffi::{c_int, c_short, c_void};

use super::epoll::milliseconds;
use super::{acquire, ask, owner, report_int};
use crate::control::active::Active;
use crate::control::controller::{Controller, Wake};
use crate::control::hooks::call::{Call, stand_in_for_calls};
use crate::control::hooks::length;
use crate::control::order;
use crate::control::real::real;
use crate::control::sanitizer::Unwatched;
use crate::control::state::kernel::{Errno, FileId, Owner};
use crate::control::state::signals::Set;
use crate::model::op::OpKind;
use crate::model::schedule::Injection;

/// Signals that are blocked while a call waits, in place of those that the thread blocks.
#[derive(Clone, Copy)]
pub(super) struct Mask(Option<Set>);

/// Puts the mask of the thread back.
pub(super) struct Masked<'a>(Option<(&'a Active, Set)>);

impl Mask {
    pub const NONE: Self = Self(None);

    /// # Safety
    /// `mask` is null or a set.
    pub unsafe fn read(mask: *const libc::sigset_t) -> Self {
        // SAFETY: the caller's promise.
        Self((!mask.is_null()).then(|| unsafe { Set::read(mask) }))
    }

    /// The calling thread blocks these from here on; what that lets in comes first.
    pub fn begin(self, active: &Active) -> Result<Masked<'_>, Errno> {
        let Some(mask) = self.0 else { return Ok(Masked(None)) };
        let before = active.ask(|controller| {
            let current = controller.current();
            let before = controller.signals.mask(current);
            controller.signals.set_mask(current, mask);
            before
        });
        let masked = Masked(Some((active, before)));
        if active.take_signals().is_any() { Err(libc::EINTR) } else { Ok(masked) }
    }
}

impl Drop for Masked<'_> {
    fn drop(&mut self) {
        if let Some((active, before)) = self.0 {
            active.ask(|controller| controller.signals.set_mask(controller.current(), before));
            if !std::thread::panicking() {
                active.take_signals();
            }
        }
    }
}

/// A descriptor of the system: a file that is always ready, or none.
pub(super) fn owned_file(active: &Active, call: Call, number: c_int) -> Result<Option<c_int>, Errno> {
    let mut found = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fills the buffer if it succeeds.
    let mode = unsafe {
        if real!(fstat: fn(c_int, *mut libc::stat) -> c_int)(number, found.as_mut_ptr()) != 0 {
            return Ok(None);
        }
        found.assume_init().st_mode
    };
    match mode & libc::S_IFMT {
        libc::S_IFREG | libc::S_IFDIR => Ok(Some(number)),
        _ => active.refuse(&format!("{} of a descriptor that was open before", call.primitive)),
    }
}

/// What a poll of a number says.
pub(super) enum Polled {
    Ours(FileId),
    /// A file, of which these events are always ready.
    File,
    None,
}

/// The point of a call on several descriptors, and what they are then.
pub(super) fn enter_all(active: &Active, call: Call, numbers: &[c_int]) -> Result<Vec<Polled>, Errno> {
    active.pass(OpKind::Descriptor, 0);
    let _unwatched = Unwatched::begin();
    let each = numbers.iter().map(|&number| match owner(active, number) {
        Owner::Kernel(file) => {
            let mark = active.ask(|controller| controller.kernel.mark(number));
            order::uses(mark as usize, size_of::<u64>(), call.caller);
            Ok(Polled::Ours(file))
        }
        Owner::Nobody => Ok(Polled::None),
        Owner::System => Ok(owned_file(active, call, number)?.map_or(Polled::None, |_| Polled::File)),
    });
    each.collect()
}

/// Waits until `look` says that something is ready; what it said, or `None` once the time is over.
pub(super) fn wait<R>(
    active: &Active,
    call: Call,
    polled: &[Polled],
    timeout: Option<u64>,
    mask: Mask,
    mut look: impl FnMut() -> Option<R>,
) -> Result<Option<R>, Errno> {
    if let Some(found) = look() {
        return Ok(Some(found));
    }
    if timeout == Some(0) {
        return Ok(None);
    }
    let _masked = mask.begin(active)?;
    let deadline = timeout.map(|timeout| active.ask(|controller| controller.now()).saturating_add(timeout));
    let files = || polled.iter().filter_map(|polled| if let Polled::Ours(file) = polled { Some(*file) } else { None });
    let thread = active.current();
    let place = ask(active, |kernel| kernel.begin_poll(thread, files().collect()));
    let found = loop {
        if let Some(found) = look() {
            break Ok(Some(found));
        }
        if active.inject(Injection::Interrupted) {
            break Err(libc::EINTR);
        }
        let expiry = ask(active, |kernel| files().filter_map(|file| kernel.expiry(file)).min());
        match active.block_interruptibly(place, call.primitive, deadline.into_iter().chain(expiry).min()) {
            Wake::Notified => {}
            Wake::Interrupted | Wake::Restarted => break Err(libc::EINTR),
            Wake::TimedOut => {
                active.ask(Controller::progress); // Time went on.
                if deadline.is_some_and(|deadline| active.ask(|controller| controller.now()) >= deadline) {
                    break Ok(look());
                }
            }
        }
    };
    ask(active, |kernel| kernel.end_poll(thread));
    found
}

/// What a poll of it tells, at this moment.
pub(super) fn events_of(active: &Active, polled: &Polled) -> u32 {
    const FILE: u32 = (libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDNORM | libc::EPOLLWRNORM) as u32;
    match polled {
        Polled::Ours(file) => ask(active, |kernel| kernel.ready(*file)),
        Polled::File => FILE,
        Polled::None => u32::from(libc::POLLNVAL as u16),
    }
}

/// # Safety
/// There are so many entries at `entries`.
unsafe fn poll_all(
    active: &Active,
    call: Call,
    entries: *mut libc::pollfd,
    count: libc::nfds_t,
    timeout: Option<u64>,
    mask: Mask,
) -> Result<c_int, Errno> {
    if count > libc::FD_SETSIZE as libc::nfds_t {
        return Err(libc::EINVAL);
    }
    // SAFETY: the caller's promise.
    let entries =
        unsafe { std::slice::from_raw_parts_mut(entries, if entries.is_null() { 0 } else { count as usize }) };
    let numbers: Vec<c_int> = {
        let _unwatched = Unwatched::begin();
        entries.iter().map(|entry| entry.fd).collect()
    };
    let polled = enter_all(active, call, &numbers)?;
    let found = wait(active, call, &polled, timeout, mask, || {
        let mut ready = 0;
        for (entry, polled) in entries.iter_mut().zip(&polled) {
            const ALWAYS: c_short = libc::POLLERR | libc::POLLHUP | libc::POLLNVAL;
            entry.revents = match entry.fd {
                ..0 => 0,
                _ => events_of(active, polled) as c_short & (entry.events | ALWAYS),
            };
            ready += c_int::from(entry.revents != 0);
        }
        (ready > 0).then_some(ready)
    });
    for (entry, polled) in entries.iter().zip(&polled) {
        if let Polled::Ours(file) = polled
            && entry.revents != 0
        {
            acquire(active, *file);
        }
    }
    let _unwatched = Unwatched::begin();
    drop((numbers, polled));
    found.map(Option::unwrap_or_default).inspect(|ready| {
        if *ready > 0 {
            active.ask(Controller::progress);
        }
    })
}

stand_in_for_calls! {
    fn poll(entries: *mut libc::pollfd, count: libc::nfds_t, timeout: c_int) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        report_int(unsafe { poll_all(active, call, entries, count, milliseconds(timeout), Mask::NONE) })
    }

    fn __poll_chk(
        entries: *mut libc::pollfd,
        count: libc::nfds_t,
        timeout: c_int,
        room: usize,
    ) -> c_int |active, call| {
        let _ = room;
        // SAFETY: the caller's promise.
        report_int(unsafe { poll_all(active, call, entries, count, milliseconds(timeout), Mask::NONE) })
    }

    fn ppoll(
        entries: *mut libc::pollfd,
        count: libc::nfds_t,
        timeout: *const libc::timespec,
        mask: *const libc::sigset_t,
    ) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        let timeout = unsafe { timeout.as_ref() }.map(|timeout| length(timeout).ok_or(libc::EINVAL)).transpose();
        // SAFETY: the caller's promise.
        report_int(timeout.and_then(|timeout| unsafe {
            poll_all(active, call, entries, count, timeout, Mask::read(mask))
        }))
    }

    fn __ppoll_chk(
        entries: *mut libc::pollfd,
        count: libc::nfds_t,
        timeout: *const libc::timespec,
        mask: *const c_void,
        room: usize,
    ) -> c_int |active, call| {
        let _ = room;
        // SAFETY: the caller's promise.
        let timeout = unsafe { timeout.as_ref() }.map(|timeout| length(timeout).ok_or(libc::EINVAL)).transpose();
        // SAFETY: the caller's promise.
        report_int(timeout.and_then(|timeout| unsafe {
            poll_all(active, call, entries, count, timeout, Mask::read(mask.cast()))
        }))
    }
}
