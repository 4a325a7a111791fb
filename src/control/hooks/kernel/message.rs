//! Sends and receives of sockets.

use std::ffi::{c_int, c_void};

use super::socket::{is_ours, name, store};
use super::transfer::{cut, piece, received, reset_if_asked, signal_broken_pipe, tell_rest, write_all};
use super::{Patience, enter, report};
use crate::control::active::Active;
use crate::control::controller::Controller;
use crate::control::hooks::call::{Call, stand_in_for_calls};
use crate::control::hooks::stand_in;
use crate::control::real::real;
use crate::control::sanitizer::Unwatched;
use crate::control::state::kernel::name::{Name, Refusal};
use crate::control::state::kernel::pieces::Pieces;
use crate::control::state::kernel::socket::Kind;
use crate::control::state::kernel::{Errno, FileId};
use crate::model::schedule::Injection;

type Size = libc::socklen_t;

/// The file behind a socket's descriptor, and its family and kind.
fn enter_socket(active: &Active, call: Call, number: c_int) -> Result<(FileId, c_int, Kind), Errno> {
    let file = enter(active, call, number)?;
    let (family, kind) =
        active.ask(|controller| controller.kernel.socket(file).map(|socket| (socket.family, socket.kind)))?;
    Ok((file, family, kind))
}

/// # Safety
/// `address` is null or a name of so many bytes.
unsafe fn send_to(
    active: &Active,
    call: Call,
    number: c_int,
    from: &Pieces,
    flags: c_int,
    (address, size): (*const c_void, Size),
) -> Result<usize, Errno> {
    let (file, family, kind) = enter_socket(active, call, number)?;
    if flags & libc::MSG_OOB != 0 {
        active.refuse(&format!("{} with MSG_OOB", call.primitive));
    }
    let (never_waits, signals) = (flags & libc::MSG_DONTWAIT != 0, flags & libc::MSG_NOSIGNAL == 0);
    let is_named = !address.is_null() && size > 0 && !(kind == Kind::Stream && family != libc::AF_UNIX);
    if !is_named && kind == Kind::Stream {
        return write_all(active, call, file, from, never_waits, signals);
    }
    let to: Option<Name> = match is_named {
        // SAFETY: the caller's promise.
        true => match unsafe { name(active, call, family, address, size) } {
            Ok(name) => Some(name),
            Err(Refusal::Fails(error)) => return Err(error),
            Err(Refusal::Unnamed | Refusal::Dissolve | Refusal::Outside) => return Err(libc::EINVAL),
        },
        false => None,
    };
    call.reads(active, from, usize::MAX);
    let patience = Patience::of(active, file, true, never_waits);
    let place = |kernel: &crate::control::state::kernel::Kernel, file| kernel.send_place(file, to.as_ref());
    let sent = patience
        .wait_at(active, call, place, |controller| controller.kernel.send(file, from, 0, usize::MAX, to.as_ref()));
    if let Err(error) = sent {
        if signals && kind != Kind::Datagram {
            signal_broken_pipe(active, error);
        }
    } else {
        active.ask(Controller::progress);
    }
    let _unwatched = Unwatched::begin();
    drop(to);
    sent
}

/// What a receive came to.
struct Arrived {
    /// What the call gives.
    size: usize,
    /// There was more of the message than room.
    cut: bool,
    from: Vec<u8>,
}

fn receive_from(active: &Active, call: Call, number: c_int, into: &Pieces, flags: c_int) -> Result<Arrived, Errno> {
    let (file, family, kind) = enter_socket(active, call, number)?;
    if flags & libc::MSG_OOB != 0 {
        active.refuse(&format!("{} with MSG_OOB", call.primitive));
    }
    if flags & libc::MSG_ERRQUEUE != 0 {
        return Err(libc::EAGAIN);
    }
    if flags & libc::MSG_TRUNC != 0 && family != libc::AF_UNIX && kind == Kind::Stream {
        active.refuse(&format!("{} of a stream with MSG_TRUNC", call.primitive));
    }
    let peeks = flags & libc::MSG_PEEK != 0;
    let is_stream = kind == Kind::Stream;
    reset_if_asked(active, file);
    let patience = Patience::of(active, file, false, flags & libc::MSG_DONTWAIT != 0);
    let waits_for_all = is_stream && flags & libc::MSG_WAITALL != 0 && patience.blocks && !peeks;
    if waits_for_all {
        let size = receive_all(active, call, file, into, patience)?;
        return Ok(Arrived { size, cut: false, from: Vec::new() });
    }
    let most = cut(active, file, into.len(), Injection::ShortRead);
    let message = patience.wait(active, call, |controller| {
        let message = controller.kernel.receive(file, into, most, peeks)?;
        Ok((message.size, message.whole, message.from.as_ref().map(Name::bytes).unwrap_or_default()))
    });
    let (size, whole, from) = message?;
    received(active, call, file, into, size);
    tell_rest(active, file, into.len(), most, libc::EPOLLIN);
    let told = if flags & libc::MSG_TRUNC != 0 && !is_stream { whole } else { size };
    Ok(Arrived { size: told, cut: whole > size, from })
}

/// Receives until all pieces are full, or nothing more comes.
fn receive_all(active: &Active, call: Call, file: FileId, into: &Pieces, patience: Patience) -> Result<usize, Errno> {
    let mut done = 0;
    while done < into.len() {
        match patience.wait(active, call, |controller| controller.kernel.receive_more(file, into, done)) {
            Ok(0) => break,
            Ok(size) => done += size,
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
    }
    received(active, call, file, into, done);
    Ok(done)
}

/// # Safety
/// The places are null, or for a name and its length.
unsafe fn give(call: Call, arrived: Result<Arrived, Errno>, place: (*mut c_void, *mut Size)) -> isize {
    report(arrived.map(|arrived| {
        // SAFETY: the caller's promise.
        unsafe { store(call, &arrived.from, place.0, place.1) };
        let _unwatched = Unwatched::begin();
        let Arrived { size, from, .. } = arrived;
        drop(from);
        size
    }))
}

/// # Safety
/// As `sendmsg`.
unsafe fn send_message(
    active: &Active,
    call: Call,
    number: c_int,
    message: &libc::msghdr,
    flags: c_int,
) -> Result<usize, Errno> {
    if message.msg_controllen > 0 {
        active.refuse("sendmsg with control data");
    }
    // SAFETY: the caller's promise.
    unsafe {
        let pieces = Pieces::at(message.msg_iov, message.msg_iovlen as _)?;
        send_to(active, call, number, &pieces, flags, (message.msg_name, message.msg_namelen))
    }
}

/// # Safety
/// As `recvmsg`.
unsafe fn receive_message(
    active: &Active,
    call: Call,
    number: c_int,
    message: &mut libc::msghdr,
    flags: c_int,
) -> Result<Arrived, Errno> {
    // SAFETY: the caller's promise.
    let pieces = unsafe { Pieces::at(message.msg_iov, message.msg_iovlen as _) }?;
    let arrived = receive_from(active, call, number, &pieces, flags)?;
    (message.msg_controllen, message.msg_flags) = (0, if arrived.cut { libc::MSG_TRUNC } else { 0 });
    if arrived.from.is_empty() {
        message.msg_namelen = 0;
    }
    Ok(arrived)
}

stand_in_for_calls! {
    fn send(number: c_int, bytes: *const c_void, size: usize, flags: c_int) -> isize |active, call| {
        if !is_ours(active, number) {
            // SAFETY: passed on unchanged.
            return unsafe { real!(send: fn(c_int, *const c_void, usize, c_int) -> isize)(number, bytes, size, flags) };
        }
        let pieces = piece(bytes, size);
        // SAFETY: the caller's promise.
        report(unsafe { send_to(active, call, number, &Pieces::new(&pieces), flags, (std::ptr::null(), 0)) })
    }

    fn recv(number: c_int, bytes: *mut c_void, size: usize, flags: c_int) -> isize |active, call| {
        if !is_ours(active, number) {
            // SAFETY: passed on unchanged.
            return unsafe { real!(recv: fn(c_int, *mut c_void, usize, c_int) -> isize)(number, bytes, size, flags) };
        }
        let pieces = piece(bytes, size);
        // SAFETY: the caller's promise.
        unsafe {
            let arrived = receive_from(active, call, number, &Pieces::new(&pieces), flags);
            give(call, arrived, (std::ptr::null_mut(), std::ptr::null_mut()))
        }
    }

    fn __recv_chk(number: c_int, bytes: *mut c_void, size: usize, room: usize, flags: c_int) -> isize |active, call| {
        if !is_ours(active, number) || size > room {
            // SAFETY: passed on unchanged.
            return unsafe {
                real!(__recv_chk: fn(c_int, *mut c_void, usize, usize, c_int) -> isize)(number, bytes, size, room, flags)
            };
        }
        let pieces = piece(bytes, size);
        // SAFETY: the caller's promise.
        unsafe {
            let arrived = receive_from(active, call, number, &Pieces::new(&pieces), flags);
            give(call, arrived, (std::ptr::null_mut(), std::ptr::null_mut()))
        }
    }

    fn sendmsg(number: c_int, message: *const libc::msghdr, flags: c_int) -> isize |active, call| {
        if !is_ours(active, number) {
            // SAFETY: passed on unchanged.
            return unsafe { real!(sendmsg: fn(c_int, *const libc::msghdr, c_int) -> isize)(number, message, flags) };
        }
        // SAFETY: the caller's promise.
        report(unsafe { send_message(active, call, number, &*message, flags) })
    }

    fn recvmsg(number: c_int, message: *mut libc::msghdr, flags: c_int) -> isize |active, call| {
        if !is_ours(active, number) {
            // SAFETY: passed on unchanged.
            return unsafe { real!(recvmsg: fn(c_int, *mut libc::msghdr, c_int) -> isize)(number, message, flags) };
        }
        // SAFETY: the caller's promise.
        unsafe {
            let arrived = receive_message(active, call, number, &mut *message, flags);
            give(call, arrived, ((*message).msg_name, &raw mut (*message).msg_namelen))
        }
    }
}

stand_in! {
    fn sendto(
        number: c_int,
        bytes: *const c_void,
        size: usize,
        flags: c_int,
        address: *const c_void,
        length: Size,
    ) -> isize |active| {
        if !is_ours(active, number) {
            // SAFETY: passed on unchanged.
            return unsafe {
                real!(sendto: fn(c_int, *const c_void, usize, c_int, *const c_void, Size) -> isize)(
                    number, bytes, size, flags, address, length,
                )
            };
        }
        let (call, pieces) = (Call { primitive: "sendto", caller: 0 }, piece(bytes, size));
        // SAFETY: the caller's promise.
        report(unsafe { send_to(active, call, number, &Pieces::new(&pieces), flags, (address, length)) })
    }

    fn recvfrom(
        number: c_int,
        bytes: *mut c_void,
        size: usize,
        flags: c_int,
        address: *mut c_void,
        length: *mut Size,
    ) -> isize |active| {
        if !is_ours(active, number) {
            // SAFETY: passed on unchanged.
            return unsafe {
                real!(recvfrom: fn(c_int, *mut c_void, usize, c_int, *mut c_void, *mut Size) -> isize)(
                    number, bytes, size, flags, address, length,
                )
            };
        }
        let (call, pieces) = (Call { primitive: "recvfrom", caller: 0 }, piece(bytes, size));
        // SAFETY: the caller's promise.
        unsafe { give(call, receive_from(active, call, number, &Pieces::new(&pieces), flags), (address, length)) }
    }

    fn __recvfrom_chk(
        number: c_int,
        bytes: *mut c_void,
        size: usize,
        room: usize,
        flags: c_int,
        address: *mut c_void,
        length: *mut Size,
    ) -> isize |active| {
        if !is_ours(active, number) || size > room {
            // SAFETY: passed on unchanged.
            return unsafe {
                real!(__recvfrom_chk: fn(c_int, *mut c_void, usize, usize, c_int, *mut c_void, *mut Size) -> isize)(
                    number, bytes, size, room, flags, address, length,
                )
            };
        }
        let (call, pieces) = (Call { primitive: "recvfrom", caller: 0 }, piece(bytes, size));
        // SAFETY: the caller's promise.
        unsafe { give(call, receive_from(active, call, number, &Pieces::new(&pieces), flags), (address, length)) }
    }
}
