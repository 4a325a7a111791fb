//! Reads and writes of descriptors, of whatever kind.

use std::collections::VecDeque;
use std::ffi::{c_int, c_uint, c_void};

use super::{Patience, acquire, ask, enter, owner, report, report_int};
use crate::control::active::Active;
use crate::control::controller::Controller;
use crate::control::hooks::call::{Call, stand_in_for_calls};
use crate::control::hooks::{file, set_errno};
use crate::control::real::real;
use crate::control::state::kernel::pieces::Pieces;
use crate::control::state::kernel::{Errno, FileId, Object, Owner};
use crate::control::state::signals::Set;
use crate::model::schedule::Injection;

/// Bytes that a read or write of so many is cut down to, where it may be and is to.
pub(super) fn cut(active: &Active, file: FileId, size: usize, injection: Injection) -> usize {
    let divisible = size > 1 && active.ask(|controller| controller.kernel.is_divisible(file, size));
    if divisible && active.inject(injection) { size / 2 } else { size }
}

/// A call got less than it asked for, of a size that it was cut down to.
pub(super) fn tell_rest(active: &Active, file: FileId, asked: usize, most: usize, events: c_int) {
    if most < asked {
        ask(active, |kernel| kernel.tell_rest(file, events as u32));
    }
}

/// A connection of TCP is reset here, if it is to.
pub(super) fn reset_if_asked(active: &Active, file: FileId) {
    let is_tcp = |controller: &mut Controller| {
        controller.kernel.socket(file).is_ok_and(|socket| socket.is_tcp() && socket.peer().is_some())
    };
    if active.ask(is_tcp) && active.inject(Injection::Reset) {
        let _ = ask(active, |kernel| kernel.reset(file));
    }
}

/// What a call with `EPIPE` does first, unless it says otherwise.
pub(super) fn signal_broken_pipe(active: &Active, error: Errno) {
    if error == libc::EPIPE {
        active.send_signal(libc::SIGPIPE, Some(active.current()));
    }
}

pub(in crate::control::hooks) fn read_into(
    active: &Active,
    call: Call,
    number: c_int,
    into: &Pieces,
) -> Result<usize, Errno> {
    let file = enter(active, call, number)?;
    reset_if_asked(active, file);
    let most = cut(active, file, into.len(), Injection::ShortRead);
    let signals = active.ask(|controller| match controller.kernel.object(file) {
        Object::Signals(set) => Some(*set),
        _ => None,
    });
    let patience = Patience::of(active, file, false, false);
    let size = match signals {
        Some(set) => patience.wait(active, call, |controller| take_signals(controller, set, into)),
        None => patience.wait(active, call, |controller| controller.kernel.read(file, into, most)),
    }?;
    received(active, call, file, into, size);
    tell_rest(active, file, into.len(), most, libc::EPOLLIN);
    Ok(size)
}

/// Bytes were stored in the program's memory.
pub(super) fn received(active: &Active, call: Call, file: FileId, into: &Pieces, size: usize) {
    acquire(active, file);
    call.fills(active, into, size);
    active.ask(Controller::progress);
}

/// What a `signalfd` tells of the signals that the calling thread could take.
fn take_signals(controller: &mut Controller, set: Set, into: &Pieces) -> Result<usize, Errno> {
    const SIZE: usize = size_of::<libc::signalfd_siginfo>();
    if into.len() < SIZE {
        return Err(libc::EINVAL);
    }
    let current = controller.current();
    let mut told = VecDeque::new();
    while told.len() + SIZE <= into.len()
        && let Some((signal, to_process)) = controller.signals.take(current, set)
    {
        // SAFETY: plain data, of which zeros are a value; has no preconditions.
        let mut information: libc::signalfd_siginfo = unsafe { std::mem::zeroed() };
        information.ssi_signo = signal as u32;
        information.ssi_code = if to_process { libc::SI_USER } else { libc::SI_TKILL };
        // SAFETY: have no preconditions.
        (information.ssi_pid, information.ssi_uid) = unsafe { (libc::getpid() as u32, libc::getuid()) };
        // SAFETY: plain data of that size.
        told.extend(unsafe { std::slice::from_raw_parts((&raw const information).cast::<u8>(), SIZE) });
    }
    if told.is_empty() { Err(libc::EAGAIN) } else { Ok(into.scatter(&told, 0, usize::MAX)) }
}

pub(in crate::control::hooks) fn write_from(
    active: &Active,
    call: Call,
    number: c_int,
    from: &Pieces,
) -> Result<usize, Errno> {
    let file = enter(active, call, number)?;
    write_all(active, call, file, from, false, true)
}

/// Writes all of it where the call may wait, else what there is room for.
pub(super) fn write_all(
    active: &Active,
    call: Call,
    file: FileId,
    from: &Pieces,
    never_waits: bool,
    signals: bool,
) -> Result<usize, Errno> {
    reset_if_asked(active, file);
    let size = from.len();
    let most = cut(active, file, size, Injection::ShortWrite);
    let patience = Patience::of(active, file, true, never_waits);
    let divisible = active.ask(|controller| controller.kernel.is_divisible(file, size));
    let is_message = active.ask(|controller| controller.kernel.socket(file).is_ok_and(|socket| socket.is_datagram()));
    let mut done = 0;
    loop {
        call.reads(active, from, most);
        let written = patience.wait(active, call, |controller| controller.kernel.write(file, from, done, most - done));
        match written {
            Ok(written) => {
                active.ask(Controller::progress);
                done += written;
                if done >= most || !divisible || !patience.blocks {
                    tell_rest(active, file, size, most, libc::EPOLLOUT);
                    return Ok(done);
                }
            }
            Err(_) if done > 0 => return Ok(done),
            Err(error) => {
                if signals && !is_message {
                    signal_broken_pipe(active, error);
                }
                return Err(error);
            }
        }
    }
}

/// A call with one piece of memory.
pub(super) fn piece(start: *const c_void, size: usize) -> [libc::iovec; 1] {
    [libc::iovec { iov_base: start.cast_mut(), iov_len: size }]
}

/// Whether the descriptor is not the system's.
fn is_ours(active: &Active, number: c_int) -> bool {
    owner(active, number) != Owner::System
}

stand_in_for_calls! {
    fn read(number: c_int, bytes: *mut c_void, size: usize) -> isize |active, call| {
        if !is_ours(active, number) {
            // SAFETY: passed on unchanged.
            return unsafe { file::read(number, bytes, size) };
        }
        let pieces = piece(bytes, size);
        // SAFETY: the caller's promise.
        report(read_into(active, call, number, &unsafe { Pieces::new(&pieces) }))
    }

    fn __read_chk(number: c_int, bytes: *mut c_void, size: usize, room: usize) -> isize |active, call| {
        if !is_ours(active, number) || size > room {
            // SAFETY: passed on unchanged.
            return unsafe { real!(__read_chk: fn(c_int, *mut c_void, usize, usize) -> isize)(number, bytes, size, room) };
        }
        let pieces = piece(bytes, size);
        // SAFETY: the caller's promise.
        report(read_into(active, call, number, &unsafe { Pieces::new(&pieces) }))
    }

    fn readv(number: c_int, pieces: *const libc::iovec, count: c_int) -> isize |active, call| {
        if !is_ours(active, number) {
            // SAFETY: passed on unchanged.
            return unsafe { file::readv(number, pieces, count) };
        }
        // SAFETY: the caller's promise.
        let pieces = unsafe { Pieces::at(pieces, usize::try_from(count).unwrap_or(usize::MAX)) };
        report(pieces.and_then(|pieces| read_into(active, call, number, &pieces)))
    }

    fn write(number: c_int, bytes: *const c_void, size: usize) -> isize |active, call| {
        if !is_ours(active, number) {
            // SAFETY: passed on unchanged.
            return unsafe { file::write(number, bytes, size) };
        }
        let pieces = piece(bytes, size);
        // SAFETY: the caller's promise.
        report(write_from(active, call, number, &unsafe { Pieces::new(&pieces) }))
    }

    fn writev(number: c_int, pieces: *const libc::iovec, count: c_int) -> isize |active, call| {
        if !is_ours(active, number) {
            // SAFETY: passed on unchanged.
            return unsafe { file::writev(number, pieces, count) };
        }
        // SAFETY: the caller's promise.
        let pieces = unsafe { Pieces::at(pieces, usize::try_from(count).unwrap_or(usize::MAX)) };
        report(pieces.and_then(|pieces| write_from(active, call, number, &pieces)))
    }

    fn eventfd_read(number: c_int, value: *mut u64) -> c_int |active, call| {
        let pieces = piece(value.cast(), size_of::<u64>());
        // SAFETY: the caller's promise.
        report_int(read_into(active, call, number, &unsafe { Pieces::new(&pieces) }).map(|_| 0))
    }

    fn eventfd_write(number: c_int, value: u64) -> c_int |active, call| {
        let pieces = piece((&raw const value).cast(), size_of::<u64>());
        // SAFETY: a variable of this function.
        report_int(write_from(active, call, number, &unsafe { Pieces::new(&pieces) }).map(|_| 0))
    }
}

/// Calls that move bytes between descriptors inside the kernel, or at an offset: of files they are passed on.
macro_rules! refuse_on_ours {
    ($($name:ident($($argument:ident: $type:ty),*) on $($number:ident)*;)*) => {$(
        crate::control::hooks::stand_in! {
            #[doc = "Refused on what is emulated."]
            fn $name($($argument: $type),*) -> isize |active| {
                if [$($number),*].into_iter().any(|number| is_ours(active, number)) {
                    active.refuse(concat!(stringify!($name), " on a pipe, socket or the like"));
                }
                // SAFETY: passed on unchanged.
                unsafe { real!($name: fn($($type),*) -> isize)($($argument),*) }
            }
        }
    )*};
}

refuse_on_ours! {
    sendfile(out: c_int, input: c_int, offset: *mut c_void, size: usize) on out input;
    sendfile64(out: c_int, input: c_int, offset: *mut c_void, size: usize) on out input;
    splice(input: c_int, a: *mut c_void, out: c_int, b: *mut c_void, size: usize, flags: c_uint) on input out;
    tee(input: c_int, out: c_int, size: usize, flags: c_uint) on input out;
    vmsplice(number: c_int, pieces: *const c_void, count: usize, flags: c_uint) on number;
}

/// Calls at an offset, which what is emulated does not have.
macro_rules! no_offset {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {$(
        crate::control::hooks::stand_in! {
            #[doc = "What is emulated has no offset."]
            fn $name(number: c_int, $($argument: $type),*) -> isize |active| {
                if is_ours(active, number) {
                    set_errno(if matches!(owner(active, number), Owner::Nobody) { libc::EBADF } else { libc::ESPIPE });
                    return -1;
                }
                // SAFETY: passed on unchanged.
                unsafe { real!($name: fn(c_int, $($type),*) -> isize)(number, $($argument),*) }
            }
        }
    )*};
}

no_offset! {
    lseek(offset: i64, whence: c_int);
    lseek64(offset: i64, whence: c_int);
    preadv(pieces: *const c_void, count: c_int, offset: i64);
    preadv64(pieces: *const c_void, count: c_int, offset: i64);
    pwritev(pieces: *const c_void, count: c_int, offset: i64);
    pwritev64(pieces: *const c_void, count: c_int, offset: i64);
}
