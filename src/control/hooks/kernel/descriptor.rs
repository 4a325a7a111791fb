//! Closing, copying and setting descriptors of what is emulated.

use std::ffi::{CStr, c_char, c_int, c_ulong};

use super::{ask, enter, made, mark, owner, report_int};
use crate::control::active::{Active, active};
use crate::control::controller::Controller;
use crate::control::hooks::call::{Call, stand_in_for_calls};
use crate::control::hooks::{file, set_errno};
use crate::control::real::real;
use crate::control::state::kernel::{Errno, HIGHEST, Object, Owner};

/// `close` of a number that is not the system's.
pub(in crate::control::hooks) fn close_number(active: &Active, call: Call, number: c_int) -> Result<(), Errno> {
    enter(active, call, number)?;
    mark(active, call, number);
    active.ask(Controller::progress);
    ask(active, |kernel| kernel.close(number))
}

/// A path is removed; whether that was a socket's, which then needs no more.
///
/// # Safety
/// `path` is a C string.
pub(in crate::control::hooks) unsafe fn unlink(active: &Active, path: *const c_char) -> bool {
    // SAFETY: the caller's promise.
    let path = unsafe { CStr::from_ptr(path) }.to_bytes();
    ask(active, |kernel| kernel.unlink(path))
}

fn copy(active: &Active, call: Call, number: c_int, least: c_int, closes_on_exec: bool) -> Result<c_int, Errno> {
    let file = enter(active, call, number)?;
    let copy = ask(active, |kernel| {
        let copy = kernel.copy(file, least)?;
        kernel.set_closes_on_exec(copy, closes_on_exec);
        Ok(copy)
    });
    made(active, call, copy)
}

/// Makes `to` a descriptor of what `from` is one of, one of which is not the system's.
fn copy_to(active: &Active, call: Call, from: c_int, to: c_int, closes_on_exec: bool) -> Result<c_int, Errno> {
    let file = enter(active, call, from)?;
    if !(0..HIGHEST as c_int).contains(&to) {
        return Err(libc::EBADF);
    }
    if owner(active, to) == Owner::System {
        // Who else has it would write into a descriptor that is no file.
        if !active.ask(|controller| controller.files.open_of(to).is_some()) && is_open(to) {
            active.refuse("dup2 onto a descriptor that was open before");
        }
        // SAFETY: closes a file that the target opened.
        unsafe { file::close(to) };
    }
    mark(active, call, to);
    ask(active, |kernel| {
        kernel.copy_to(file, to);
        kernel.set_closes_on_exec(to, closes_on_exec);
    });
    active.ask(Controller::progress);
    Ok(to)
}

fn is_open(number: c_int) -> bool {
    // SAFETY: looks only.
    unsafe { real!(fcntl: fn(c_int, c_int, usize) -> c_int)(number, libc::F_GETFD, 0) >= 0 }
}

/// `dup2` and `dup3` where one of them is not the system's.
fn copy_between(active: &Active, call: Call, from: c_int, to: c_int, closes_on_exec: bool) -> Option<c_int> {
    match (owner(active, from), owner(active, to)) {
        (Owner::System, Owner::System) => None,
        (Owner::System, _) if is_open(from) => {
            active.refuse(&format!("{} of a file onto a number of a pipe, socket or the like", call.primitive))
        }
        (Owner::System, _) => Some(report_int(Err::<c_int, _>(libc::EBADF))),
        _ => Some(report_int(copy_to(active, call, from, to, closes_on_exec))),
    }
}

/// `fcntl` of a number that is not the system's.
fn control(active: &Active, call: Call, number: c_int, command: c_int, argument: usize) -> c_int {
    report_int(match command {
        libc::F_DUPFD => copy(active, call, number, argument as c_int, false),
        libc::F_DUPFD_CLOEXEC => copy(active, call, number, argument as c_int, true),
        _ => enter(active, call, number).and_then(|file| {
            ask(active, |kernel| match command {
                libc::F_GETFD => Ok(if kernel.closes_on_exec(number) { libc::FD_CLOEXEC } else { 0 }),
                libc::F_SETFD => {
                    kernel.set_closes_on_exec(number, argument as c_int & libc::FD_CLOEXEC != 0);
                    Ok(0)
                }
                libc::F_GETFL => {
                    let access = match kernel.object(file) {
                        Object::PipeReader { .. } => libc::O_RDONLY,
                        Object::PipeWriter { .. } => libc::O_WRONLY,
                        _ => libc::O_RDWR,
                    };
                    Ok(access | if kernel.is_nonblocking(file) { libc::O_NONBLOCK } else { 0 })
                }
                libc::F_SETFL => {
                    kernel.set_nonblocking(file, argument as c_int & libc::O_NONBLOCK != 0);
                    Ok(0)
                }
                libc::F_GETPIPE_SZ => kernel.pipe_size(file, None).map(|size| size as c_int),
                libc::F_SETPIPE_SZ => kernel.pipe_size(file, Some(argument)).map(|size| size as c_int),
                _ => Err(libc::EINVAL),
            })
        }),
    })
}

/// What `fstat` tells of it: its kind.
fn mode(active: &Active, number: c_int) -> Result<libc::mode_t, Errno> {
    active.ask(|controller| {
        let file = controller.kernel.file(number)?;
        Ok(match controller.kernel.object(file) {
            Object::PipeReader { .. } | Object::PipeWriter { .. } => libc::S_IFIFO | 0o600,
            Object::Socket(_) => libc::S_IFSOCK | 0o777,
            _ => 0o600,
        })
    })
}

/// # Safety
/// `found` is a place for what is told.
unsafe fn look(active: &Active, number: c_int, found: *mut libc::stat) -> c_int {
    report_int(mode(active, number).map(|mode| {
        // SAFETY: plain data, of which zeros are a value; the caller's promise.
        unsafe {
            *found = std::mem::zeroed();
            ((*found).st_mode, (*found).st_nlink, (*found).st_blksize) = (mode, 1, 4096);
        }
        0
    }))
}

stand_in_for_calls! {
    fn close(number: c_int) -> c_int |active, call| {
        match owner(active, number) {
            // SAFETY: passed on unchanged.
            Owner::System => unsafe { file::close(number) },
            _ => report_int(close_number(active, call, number).map(|()| 0)),
        }
    }

    fn dup(number: c_int) -> c_int |active, call| {
        match owner(active, number) {
            // SAFETY: passed on unchanged.
            Owner::System => unsafe { file::dup(number) },
            _ => report_int(copy(active, call, number, 0, false)),
        }
    }

    fn dup2(number: c_int, to: c_int) -> c_int |active, call| {
        if number == to && owner(active, number) != Owner::System {
            return report_int(enter(active, call, number).map(|_| to));
        }
        // SAFETY: passed on unchanged.
        copy_between(active, call, number, to, false).unwrap_or_else(|| unsafe { file::dup2(number, to) })
    }

    fn dup3(number: c_int, to: c_int, flags: c_int) -> c_int |active, call| {
        if (number == to || flags & !libc::O_CLOEXEC != 0) && owner(active, number) != Owner::System {
            return report_int(Err::<c_int, _>(libc::EINVAL));
        }
        let copied = copy_between(active, call, number, to, flags & libc::O_CLOEXEC != 0);
        // SAFETY: passed on unchanged.
        copied.unwrap_or_else(|| unsafe { file::dup3(number, to, flags) })
    }

    #[doc = "The variable argument is passed on as a word."]
    fn fcntl(number: c_int, command: c_int, argument: usize) -> c_int |active, call| {
        match owner(active, number) {
            // SAFETY: passed on unchanged.
            Owner::System => unsafe { file::fcntl(number, command, argument) },
            _ => control(active, call, number, command, argument),
        }
    }

    fn fcntl64(number: c_int, command: c_int, argument: usize) -> c_int |active, call| {
        match owner(active, number) {
            // SAFETY: passed on unchanged.
            Owner::System => unsafe { file::fcntl64(number, command, argument) },
            _ => control(active, call, number, command, argument),
        }
    }

    #[doc = "The variable argument is passed on as a word."]
    fn ioctl(number: c_int, request: c_ulong, argument: usize) -> c_int |active, call| {
        if owner(active, number) == Owner::System {
            // SAFETY: passed on unchanged.
            return unsafe { real!(ioctl: fn(c_int, c_ulong, usize) -> c_int)(number, request, argument) };
        }
        let place = argument as *mut c_int;
        report_int(enter(active, call, number).and_then(|file| match request {
            libc::FIONBIO => {
                // SAFETY: the caller's promise.
                let nonblocking = unsafe { *place } != 0;
                ask(active, |kernel| kernel.set_nonblocking(file, nonblocking));
                Ok(0)
            }
            libc::FIOCLEX | libc::FIONCLEX => {
                ask(active, |kernel| kernel.set_closes_on_exec(number, request == libc::FIOCLEX));
                Ok(0)
            }
            libc::FIONREAD => {
                let waiting = active.ask(|controller| controller.kernel.waiting(file))?;
                // SAFETY: the caller's promise.
                unsafe { *place = waiting as c_int };
                Ok(0)
            }
            _ => Err(libc::ENOTTY),
        }))
    }

    fn fstat(number: c_int, found: *mut libc::stat) -> c_int |active, _call| {
        match owner(active, number) {
            // SAFETY: passed on unchanged.
            Owner::System => unsafe { file::fstat(number, found.cast()) },
            // SAFETY: the caller's promise.
            _ => unsafe { look(active, number, found) },
        }
    }

    fn fstat64(number: c_int, found: *mut libc::stat) -> c_int |active, _call| {
        match owner(active, number) {
            // SAFETY: passed on unchanged.
            Owner::System => unsafe { file::fstat64(number, found.cast()) },
            // SAFETY: the caller's promise. On the targets we support both are the same.
            _ => unsafe { look(active, number, found) },
        }
    }
}

/// Stands in for `isatty`; the same guarantees. [`warm_up`] calls it first.
///
/// # Safety
/// That of the function.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn isatty(number: c_int) -> c_int {
    let error = match active().map(|active| owner(active, number)) {
        // SAFETY: passed on unchanged.
        None | Some(Owner::System) => return unsafe { real!(isatty: fn(c_int) -> c_int)(number) },
        Some(Owner::Nobody) => libc::EBADF,
        Some(_) => libc::ENOTTY,
    };
    set_errno(error);
    0
}

/// TSan calls `isatty` within its first report. That may be in the middle of a `free`, and to look a function up can free
/// something as well, of which g++'s runtime dies. So what is behind the hook is looked up before.
pub(in crate::control) fn warm_up() {
    // SAFETY: a number that is no descriptor's.
    unsafe { isatty(-1) };
}
