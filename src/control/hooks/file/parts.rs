//! Locks of parts of files that open files own (`fcntl` with `F_OFD_SETLK` and kin). Who has which part is known to the
//! system, which is only ever asked for what does not wait; who has to wait does so in the controller.

use std::ffi::c_int;

use super::lock::identity;
use super::{Call, Fate, calling_on, point, set_errno};
use crate::control::active::Active;
use crate::control::files::{FileUse, Identity, Lock, OpenId};
use crate::control::order;
use crate::control::real::real;
use crate::strategy::Use;

/// `fcntl` with one of those commands; a point.
///
/// # Safety
/// That of `fcntl`.
pub(super) unsafe fn lock(descriptor: c_int, command: c_int, wanted: *mut libc::flock) -> c_int {
    // SAFETY: the caller's promise.
    let ask =
        |command| unsafe { real!(fcntl: fn(c_int, c_int, *mut libc::flock) -> c_int)(descriptor, command, wanted) };
    let Some(active) = calling_on(descriptor) else { return ask(command) };
    // SAFETY: the caller's promise; the system says what is wrong with a null pointer.
    let kind = unsafe { wanted.as_ref() }.map(|wanted| c_int::from(wanted.l_type));
    let parts = Parts { descriptor, command, kind };
    let result = parts.emulate(active, |command| match ask(command) {
        // SAFETY: the calling thread's own variable.
        -1 => Err(unsafe { *libc::__errno_location() }),
        _ => Ok(()),
    });
    match result {
        Ok(()) => 0,
        Err(error) => {
            set_errno(error);
            -1
        }
    }
}

/// What is asked for.
struct Parts {
    descriptor: c_int,
    command: c_int,
    kind: Option<c_int>,
}

impl Parts {
    fn looks(&self) -> bool {
        self.command == libc::F_OFD_GETLK
    }

    fn lock(&self) -> Lock {
        if self.kind == Some(libc::F_RDLCK) { Lock::Shared } else { Lock::Exclusive }
    }

    fn unlocks(&self) -> bool {
        self.kind == Some(libc::F_UNLCK)
    }

    fn emulate(&self, active: &Active, ask: impl Fn(c_int) -> Result<(), c_int>) -> Result<(), c_int> {
        let call = match () {
            () if self.looks() => Call::Look,
            () if self.unlocks() => Call::Unlock,
            () => Call::Lock,
        };
        if let Fate::Fails(error) = point(active, call) {
            return Err(error);
        }
        active.ask(|controller| controller.use_files(Some(self.descriptor), FileUse::Spares));
        let file = identity(self.descriptor, true)?;
        // Another thread may have closed it.
        let open = active.ask(|controller| controller.files.open_of(self.descriptor)).ok_or(libc::EBADF)?;
        active.ask(|controller| {
            controller.files.ask_for_parts(open, file);
            controller.files.hold(open);
        });
        let result = self.take(active, open, file, ask);
        active.ask(|controller| controller.let_go(open));
        result
    }

    fn take(
        &self,
        active: &Active,
        open: OpenId,
        file: Identity,
        ask: impl Fn(c_int) -> Result<(), c_int>,
    ) -> Result<(), c_int> {
        let (object, order) = active.ask(|controller| (controller.files.object(open), controller.files.order(file)));
        let waits = self.command == libc::F_OFD_SETLKW;
        loop {
            let result = ask(if waits { libc::F_OFD_SETLK } else { self.command });
            let changes = result.is_ok() && !self.looks();
            active.report(if changes { Use::Changed(order.object()) } else { Use::Looked(order.object()) });
            match result {
                Err(libc::EAGAIN | libc::EACCES) if waits => active.block(object, "fcntl", None),
                Err(error) => return Err(error),
                Ok(()) => break,
            };
            if active.ask(|controller| controller.files.open_of(self.descriptor)) != Some(open) {
                return Err(libc::EBADF);
            }
        }
        if self.looks() {
            return Ok(());
        }
        active.ask(|controller| {
            // What this open had of the file may be less now.
            if self.lock() == Lock::Shared || self.unlocks() {
                let given_up = controller.files.give_up_parts(open);
                given_up.into_iter().for_each(|released| controller.wake_lockers(released));
            }
            if !self.unlocks() {
                controller.files.lock_parts(open, self.lock());
            }
            controller.progress();
        });
        if !self.unlocks() {
            order.acquired_by(self.lock()).for_each(order::acquire);
        }
        Ok(())
    }
}
