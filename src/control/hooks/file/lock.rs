//! `flock`, kept by the controller: who has to wait blocks there, so that a deadlock is exact, and the
//! process does not.

use std::ffi::c_int;

use super::{Call, Fate, calling, point, set_errno};
use crate::control::active::Active;
use crate::control::controller::Controller;
use crate::control::files::{FileUse, Identity, Lock, OpenId};
use crate::control::order;
use crate::control::real::real;
use crate::strategy::Use;

/// Stands in for `flock`; a scheduling point. As on Linux, a lock of the other kind is given up before the new one is
/// asked for. Locks order memory, since what they guard is shared.
///
/// # Safety
/// That of `flock`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn flock(descriptor: c_int, operation: c_int) -> c_int {
    let Some(active) = calling() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(flock: fn(c_int, c_int) -> c_int)(descriptor, operation) };
    };
    match emulate(active, descriptor, operation) {
        Ok(()) => 0,
        Err(error) => {
            set_errno(error);
            -1
        }
    }
}

fn emulate(active: &Active, descriptor: c_int, operation: c_int) -> Result<(), c_int> {
    let wanted = match operation & !libc::LOCK_NB {
        libc::LOCK_SH => Some(Lock::Shared),
        libc::LOCK_EX => Some(Lock::Exclusive),
        libc::LOCK_UN => None,
        _ => return Err(libc::EINVAL),
    };
    if let Fate::Fails(error) = point(active, if wanted.is_some() { Call::Lock } else { Call::Unlock }) {
        return Err(error);
    }
    active.ask(|controller| controller.use_files(Some(descriptor), FileUse::Spares));
    let file = identity(descriptor, false)?;
    let Some(open) = active.ask(|controller| controller.files.open_of(descriptor)) else {
        active.refuse("flock on a descriptor that was open before");
    };
    match wanted {
        Some(lock) => take(active, open, file, lock, operation & libc::LOCK_NB == 0),
        None => {
            give_up(active, open);
            Ok(())
        }
    }
}

fn take(active: &Active, open: OpenId, file: Identity, lock: Lock, waits: bool) -> Result<(), c_int> {
    let (object, order) = active.ask(|controller| (controller.files.object(open), controller.files.order(file)));
    if active.ask(|controller| controller.files.lock_of(open)) == Some(lock) {
        active.report(Use::Looked(order.object()));
        order.acquired_by(lock).for_each(order::acquire);
        return Ok(());
    }
    give_up(active, open);
    // Another thread may close the descriptor meanwhile.
    active.ask(|controller| controller.files.hold(open));
    let try_it = || {
        active.ask(|controller| {
            let taken = controller.files.try_lock(open, file, lock);
            let object = order.object();
            controller.report(if taken { Use::Took(object) } else { Use::Looked(object) });
            taken
        })
    };
    let mut taken = try_it();
    while !taken && waits {
        active.block(object, "flock", None);
        taken = try_it();
    }
    active.ask(|controller| controller.let_go(open));
    if !taken {
        return Err(libc::EWOULDBLOCK);
    }
    order.acquired_by(lock).for_each(order::acquire);
    active.ask(Controller::progress);
    Ok(())
}

fn give_up(active: &Active, open: OpenId) {
    active.ask(|controller| {
        if let Some(released) = controller.files.unlock(open) {
            controller.wake_lockers(released);
            controller.progress();
        }
    });
}

/// What tells the files behind descriptors apart, or their parts.
pub(super) fn identity(descriptor: c_int, parts: bool) -> Result<Identity, c_int> {
    let mut found = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fills the buffer if it succeeds.
    unsafe {
        if real!(fstat: fn(c_int, *mut libc::stat) -> c_int)(descriptor, found.as_mut_ptr()) != 0 {
            return Err(libc::EBADF);
        }
        let found = found.assume_init();
        Ok(Identity { device: found.st_dev, inode: found.st_ino, parts })
    }
}
