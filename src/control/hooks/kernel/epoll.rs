//! `epoll_ctl` and `epoll_wait`.

use std::ffi::c_int;

use super::poll::{Mask, owned_file};
use super::{Patience, acquire, ask, enter, owner, report_int};
use crate::control::active::Active;
use crate::control::controller::Controller;
use crate::control::hooks::call::{Call, stand_in_for_calls};
use crate::control::hooks::length;
use crate::control::state::kernel::epoll::Control;
use crate::control::state::kernel::{Errno, FileId, Object, Owner};
use crate::control::{order, sanitizer};

/// Nanoseconds of a time-out in milliseconds; `None` if there is none.
pub(super) fn milliseconds(timeout: c_int) -> Option<u64> {
    u64::try_from(timeout).ok().map(|timeout| timeout * 1_000_000)
}

/// # Safety
/// `event` is null or one, as `epoll_ctl` asks.
unsafe fn control(
    active: &Active,
    call: Call,
    instance: c_int,
    operation: c_int,
    number: c_int,
    event: *const libc::epoll_event,
) -> Result<c_int, Errno> {
    let file = enter(active, call, instance)?;
    if owner(active, number) == Owner::System {
        return Err(match owned_file(active, call, number)? {
            Some(_) => libc::EPERM,
            None => libc::EBADF,
        });
    }
    let event = match operation {
        libc::EPOLL_CTL_DEL => None,
        _ if event.is_null() => return Err(libc::EFAULT),
        // SAFETY: the caller's promise; it may be packed.
        _ => Some(unsafe { event.read_unaligned() }),
    };
    let control = match (operation, event) {
        (libc::EPOLL_CTL_ADD, Some(event)) => Control::Add { events: event.events, data: event.u64 },
        (libc::EPOLL_CTL_MOD, Some(event)) => Control::Modify { events: event.events, data: event.u64 },
        (libc::EPOLL_CTL_DEL, _) => Control::Delete,
        _ => return Err(libc::EINVAL),
    };
    // Whoever gets an event of it sees what its data stands for.
    order::release(active.ask(|controller| controller.kernel.place(file)));
    ask(active, |kernel| kernel.control_epoll(file, number, control))?;
    active.ask(Controller::progress);
    Ok(0)
}

/// Counts the calling thread as one that waits for an instance.
struct Waiting<'a>(&'a Active, FileId);

impl<'a> Waiting<'a> {
    fn begin(active: &'a Active, file: FileId) -> Self {
        ask(active, |kernel| kernel.count_waiting(file, 1));
        Self(active, file)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        ask(self.0, |kernel| kernel.count_waiting(self.1, -1));
    }
}

/// # Safety
/// There is room for so many events.
unsafe fn wait(
    active: &Active,
    call: Call,
    instance: c_int,
    events: *mut libc::epoll_event,
    most: c_int,
    timeout: Option<u64>,
    mask: Mask,
) -> Result<c_int, Errno> {
    let file = enter(active, call, instance)?;
    let most = usize::try_from(most).ok().filter(|&most| most > 0).ok_or(libc::EINVAL)?;
    if !active.ask(|controller| matches!(controller.kernel.object(file), Object::Epoll(_))) {
        return Err(libc::EINVAL);
    }
    let mut found = ask(active, |kernel| kernel.collect(file, most))?;
    if found.is_empty() && timeout != Some(0) {
        let _masked = mask.begin(active)?;
        let now = active.ask(|controller| controller.now());
        let deadline = timeout.map(|timeout| now.saturating_add(timeout));
        let _waiting = Waiting::begin(active, file);
        let waited =
            Patience { file, blocks: true, restarts: false, deadline }.wait(
                active,
                call,
                |controller| match controller.kernel.collect(file, most) {
                    Ok(found) if found.is_empty() => Err(libc::EAGAIN),
                    found => found,
                },
            );
        found = match waited {
            Err(libc::EAGAIN) => Vec::new(),
            waited => waited?,
        };
    }
    if !found.is_empty() {
        active.ask(Controller::progress);
        acquire(active, file);
    }
    for (index, ready) in found.iter().enumerate() {
        acquire(active, ready.file);
        let event = libc::epoll_event { events: ready.events, u64: ready.data };
        // SAFETY: the caller's promise; it may be packed.
        unsafe {
            let place = events.add(index);
            call.expect_alive(active, place as usize);
            order::writes(place as usize, size_of::<libc::epoll_event>(), call.caller);
            place.write_unaligned(event);
        }
    }
    let count = found.len() as c_int;
    let _unwatched = sanitizer::Unwatched::begin();
    drop(found);
    Ok(count)
}

stand_in_for_calls! {
    fn epoll_ctl(
        instance: c_int,
        operation: c_int,
        number: c_int,
        event: *mut libc::epoll_event,
    ) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        report_int(unsafe { control(active, call, instance, operation, number, event) })
    }

    fn epoll_wait(
        instance: c_int,
        events: *mut libc::epoll_event,
        most: c_int,
        timeout: c_int,
    ) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        report_int(unsafe { wait(active, call, instance, events, most, milliseconds(timeout), Mask::NONE) })
    }

    fn epoll_pwait(
        instance: c_int,
        events: *mut libc::epoll_event,
        most: c_int,
        timeout: c_int,
        mask: *const libc::sigset_t,
    ) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        report_int(unsafe {
            wait(active, call, instance, events, most, milliseconds(timeout), Mask::read(mask))
        })
    }

    fn epoll_pwait2(
        instance: c_int,
        events: *mut libc::epoll_event,
        most: c_int,
        timeout: *const libc::timespec,
        mask: *const libc::sigset_t,
    ) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        let timeout = unsafe { timeout.as_ref() }.map(|timeout| length(timeout).ok_or(libc::EINVAL)).transpose();
        // SAFETY: the caller's promise.
        report_int(timeout.and_then(|timeout| unsafe {
            wait(active, call, instance, events, most, timeout, Mask::read(mask))
        }))
    }
}
