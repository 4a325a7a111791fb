//! The part of the kernel that programs wait on, emulated (`state/kernel.rs`): descriptors of events, timers, signals, pipes,
//! sockets and epoll instances. Files are real and have hooks of their own (`file.rs`).

mod create;
mod descriptor;
mod epoll;
mod message;
mod poll;
mod select;
mod socket;
mod transfer;

use std::ffi::c_int;

use super::call::Call;
use super::set_errno;
use crate::control::active::Active;
use crate::control::controller::{Controller, Wake};
use crate::control::order;
use crate::control::sanitizer::Unwatched;
use crate::control::state::kernel::pieces::Pieces;
use crate::control::state::kernel::{Errno, FileId, Kernel, Owner};
use crate::model::op::OpKind;
use crate::model::schedule::Injection;

pub(in crate::control) use descriptor::warm_up;
pub(super) use descriptor::{close_number, unlink};
pub(super) use transfer::{read_into, write_from};

/// Asks for something about the kernel, and wakes those who wait for what that changed.
fn ask<R>(active: &Active, question: impl FnOnce(&mut Kernel) -> R) -> R {
    let _unwatched = Unwatched::begin();
    active.ask(|controller| {
        let pending = controller.signals.pending(controller.current());
        let now = controller.now();
        controller.kernel.begin_question(now, pending);
        let answer = question(&mut controller.kernel);
        controller.wake_for_kernel();
        answer
    })
}

/// Whose a number is.
#[inline]
pub(super) fn owner(active: &Active, number: c_int) -> Owner {
    active.ask(|controller| controller.kernel.owner(number))
}

/// The point of a call on a descriptor; the file that is behind it then.
fn enter(active: &Active, call: Call, number: c_int) -> Result<FileId, Errno> {
    let place = active.ask(|controller| controller.kernel.file(number).map_or(0, |file| controller.kernel.place(file)));
    active.pass(OpKind::Descriptor, place);
    let (file, mark) = active.ask(|controller| {
        let file = controller.kernel.file(number)?;
        Ok::<_, Errno>((file, controller.kernel.mark(number)))
    })?;
    // Whoever closes it meanwhile may close what gets its number next.
    order::uses(mark as usize, size_of::<u64>(), call.caller);
    Ok(file)
}

/// The descriptor begins or ends here.
fn mark(active: &Active, call: Call, number: c_int) {
    let mark = active.ask(|controller| controller.kernel.mark(number));
    order::begins_or_ends(mark as usize, size_of::<u64>(), call.caller);
}

/// A descriptor that was made.
fn made(active: &Active, call: Call, number: Result<c_int, Errno>) -> Result<c_int, Errno> {
    if number == Err(libc::EMFILE) {
        active.refuse("more descriptors than an execution may have");
    }
    number.inspect(|&number| {
        mark(active, call, number);
        active.ask(Controller::progress);
    })
}

/// What the C functions give: the value, or -1 and `errno`.
fn report<T: TryInto<isize>>(result: Result<T, Errno>) -> isize {
    match result {
        Ok(value) => value.try_into().unwrap_or(isize::MAX),
        Err(error) => {
            set_errno(error);
            -1
        }
    }
}

/// As `report`, for functions that give an `int`.
fn report_int<T: TryInto<isize>>(result: Result<T, Errno>) -> c_int {
    report(result) as c_int
}

/// What happened to the file happens before what follows.
fn acquire(active: &Active, file: FileId) {
    order::acquire(active.ask(|controller| controller.kernel.place(file)));
}

/// How long a call waits for a file.
#[derive(Clone, Copy)]
struct Patience {
    file: FileId,
    blocks: bool,
    /// It goes on after handlers that let calls go on.
    restarts: bool,
    /// Virtual nanoseconds since the execution began.
    deadline: Option<u64>,
}

impl Patience {
    /// That of calls on a file which say nothing of it themselves, to receive or to send.
    fn of(active: &Active, file: FileId, sends: bool, never: bool) -> Self {
        active.ask(|controller| {
            let blocks = !never && !controller.kernel.is_nonblocking(file);
            let now = controller.now();
            let deadline = controller.kernel.patience(file, sends).map(|time| now.saturating_add(time));
            Self { file, blocks, restarts: deadline.is_none(), deadline }
        })
    }

    /// Tries until it does not fail with `EAGAIN`, and waits in between.
    fn wait<R>(
        self,
        active: &Active,
        call: Call,
        attempt: impl FnMut(&mut Controller) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        self.wait_at(active, call, |kernel, file| kernel.place(file), attempt)
    }

    /// As `wait`, where it waits elsewhere than at the file.
    fn wait_at<R>(
        self,
        active: &Active,
        call: Call,
        place: impl Fn(&Kernel, FileId) -> usize,
        mut attempt: impl FnMut(&mut Controller) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let Self { file, blocks, restarts, deadline } = self;
        ask(active, |kernel| kernel.hold(file));
        let result = loop {
            let attempted = {
                let _unwatched = Unwatched::begin();
                ask(active, |_| {}); // Timers expire.
                active.ask(|controller| {
                    let attempted = attempt(controller);
                    controller.wake_for_kernel();
                    attempted
                })
            };
            match attempted {
                Err(libc::EAGAIN) if blocks => {}
                done => break done,
            }
            if active.inject(Injection::Interrupted) {
                break Err(libc::EINTR);
            }
            let (place, expiry) = ask(active, |kernel| (place(kernel, file), kernel.expiry(file)));
            let until = deadline.into_iter().chain(expiry).min();
            match active.block_interruptibly(place, call.primitive, until) {
                Wake::Notified => {}
                Wake::Restarted if restarts => {}
                Wake::Interrupted | Wake::Restarted => break Err(libc::EINTR),
                Wake::TimedOut => {
                    active.ask(Controller::progress); // Time went on.
                    let is_over = deadline.is_some_and(|deadline| active.ask(|c| c.now()) >= deadline);
                    if is_over {
                        break Err(libc::EAGAIN);
                    }
                }
            }
        };
        ask(active, |kernel| kernel.let_go(file));
        result
    }
}

impl Call {
    /// The call reads that much of the program's memory.
    fn reads(self, active: &Active, pieces: &Pieces, most: usize) {
        for (start, size) in pieces.parts(most) {
            self.expect_alive(active, start as usize);
            order::reads(start as usize, size, self.caller);
        }
    }

    /// The call writes that much of it.
    fn fills(self, active: &Active, pieces: &Pieces, most: usize) {
        for (start, size) in pieces.parts(most) {
            self.expect_alive(active, start as usize);
            order::writes(start as usize, size, self.caller);
        }
    }
}
