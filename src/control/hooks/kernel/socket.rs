//! Sockets: how they begin, their names, connections and options.

use std::ffi::{c_int, c_void};

use super::create::store_pair;
use super::{Patience, acquire, ask, enter, made, owner, report_int};
use crate::control::active::Active;
use crate::control::controller::Controller;
use crate::control::hooks::call::{Call, stand_in_for_calls};
use crate::control::real::real;
use crate::control::state::kernel::name::{Name, Refusal};
use crate::control::state::kernel::socket::{Kind, Socket, State};
use crate::control::state::kernel::{Connecting, Errno, FileId, Owner};
use crate::control::{order, sanitizer};
use crate::model::op::OpKind;

type Size = libc::socklen_t;

/// The file of a call on a socket. One that is not ours is passed on, as it can be none.
pub(super) fn is_ours(active: &Active, number: c_int) -> bool {
    owner(active, number) != Owner::System
}

/// What kind of socket is asked for.
fn kind(active: &Active, family: c_int, kind: c_int, protocol: c_int) -> Result<Kind, Errno> {
    let unknown = kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC);
    let kind = match (family, unknown) {
        (libc::AF_UNIX | libc::AF_INET | libc::AF_INET6, libc::SOCK_STREAM) => Kind::Stream,
        (libc::AF_UNIX | libc::AF_INET | libc::AF_INET6, libc::SOCK_DGRAM) => Kind::Datagram,
        (libc::AF_UNIX, libc::SOCK_SEQPACKET) => Kind::Packets,
        _ => active.refuse(&format!("a socket of family {family} and type {unknown}")),
    };
    let protocols = match kind {
        _ if family == libc::AF_UNIX => [0, libc::PF_UNIX],
        Kind::Stream => [0, libc::IPPROTO_TCP],
        _ => [0, libc::IPPROTO_UDP],
    };
    if protocols.contains(&protocol) { Ok(kind) } else { Err(libc::EPROTONOSUPPORT) }
}

/// The name at `address`, for a socket of that family.
///
/// # Safety
/// There are so many bytes.
pub(super) unsafe fn name(
    active: &Active,
    call: Call,
    family: c_int,
    address: *const c_void,
    size: Size,
) -> Result<Name, Refusal> {
    if address.is_null() {
        return Err(Refusal::Fails(libc::EFAULT));
    }
    order::reads(address as usize, size as usize, call.caller);
    let parsed = {
        let _unwatched = sanitizer::Unwatched::begin();
        // SAFETY: the caller's promise.
        Name::parse(unsafe { std::slice::from_raw_parts(address.cast(), size as usize) }, family)
    };
    if parsed == Err(Refusal::Outside) {
        active.refuse(&format!("{} to an address outside of the process", call.primitive));
    }
    parsed
}

/// Stores a name, as far as there is room, and how long it is.
///
/// # Safety
/// Both are null or places for them.
pub(super) unsafe fn store(call: Call, bytes: &[u8], address: *mut c_void, size: *mut Size) {
    if address.is_null() || size.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe {
        let room = (*size as usize).min(bytes.len());
        order::writes(address as usize, room, call.caller);
        std::ptr::copy(bytes.as_ptr(), address.cast(), room);
        *size = bytes.len() as Size;
    }
}

fn family(active: &Active, file: FileId) -> Result<c_int, Errno> {
    active.ask(|controller| controller.kernel.socket(file).map(|socket| socket.family))
}

/// # Safety
/// As `bind`.
unsafe fn bind_to(
    active: &Active,
    call: Call,
    number: c_int,
    address: *const c_void,
    size: Size,
) -> Result<c_int, Errno> {
    let file = enter(active, call, number)?;
    // SAFETY: the caller's promise.
    let parsed = unsafe { name(active, call, family(active, file)?, address, size) };
    ask(active, |kernel| match parsed {
        Ok(name) => kernel.bind(file, name),
        Err(Refusal::Unnamed) => kernel.bind_unnamed(file),
        Err(Refusal::Fails(error)) => Err(error),
        Err(Refusal::Dissolve | Refusal::Outside) => Err(libc::EAFNOSUPPORT),
    })?;
    active.ask(Controller::progress);
    Ok(0)
}

/// # Safety
/// As `connect`.
unsafe fn connect_to(
    active: &Active,
    call: Call,
    number: c_int,
    address: *const c_void,
    size: Size,
) -> Result<c_int, Errno> {
    let file = enter(active, call, number)?;
    // SAFETY: the caller's promise.
    let parsed = unsafe { name(active, call, family(active, file)?, address, size) };
    let (datagram, tcp) = active.ask(|controller| {
        controller.kernel.socket(file).map(|socket| (socket.kind == Kind::Datagram, socket.is_tcp()))
    })?;
    let target = match parsed {
        Ok(target) => target,
        Err(Refusal::Dissolve) if datagram => {
            return ask(active, |kernel| kernel.connect_datagrams(file, None)).map(|()| 0);
        }
        Err(Refusal::Fails(error)) => return Err(error),
        Err(Refusal::Dissolve) => active.refuse("connect of a stream to no address"),
        Err(Refusal::Unnamed | Refusal::Outside) => return Err(libc::EINVAL),
    };
    active.ask(Controller::progress);
    if datagram {
        return ask(active, |kernel| kernel.connect_datagrams(file, Some(&target))).map(|()| 0);
    }
    let patience = Patience::of(active, file, true, false);
    if !tcp {
        // Whoever waits for room in the queue waits at the socket that has it.
        let place = |kernel: &crate::control::state::kernel::Kernel, file| kernel.connect_place(file, &target);
        let connect = |controller: &mut Controller| controller.kernel.connect(file, &target);
        return patience.wait_at(active, call, place, connect).map(|_| 0);
    }
    match ask(active, |kernel| kernel.connect_stream(file, &target, patience.blocks))? {
        Connecting::Done => Ok(0),
        Connecting::Waits => {
            let connected = patience.wait(active, call, |controller| {
                let socket = controller.kernel.socket_mut(file)?;
                match socket.state {
                    State::Connecting(_) => Err(libc::EAGAIN),
                    State::Connected(_) => Ok(0),
                    _ => socket.take_error().and(Err(libc::ECONNREFUSED)),
                }
            });
            connected.map_err(|error| if error == libc::EAGAIN { libc::EINPROGRESS } else { error })
        }
    }
}

/// # Safety
/// As `accept4`.
unsafe fn accept_one(
    active: &Active,
    call: Call,
    number: c_int,
    address: *mut c_void,
    size: *mut Size,
    flags: c_int,
) -> Result<c_int, Errno> {
    if flags & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) != 0 {
        return Err(libc::EINVAL);
    }
    let file = enter(active, call, number)?;
    let patience = Patience::of(active, file, false, false);
    let (number, from) = patience
        .wait(active, call, |controller| controller.kernel.accept(file, flags & libc::SOCK_NONBLOCK != 0))
        .inspect_err(|error| {
            if *error == libc::EMFILE {
                active.refuse("more descriptors than an execution may have");
            }
        })?;
    acquire(active, file);
    ask(active, |kernel| kernel.set_closes_on_exec(number, flags & libc::SOCK_CLOEXEC != 0));
    // SAFETY: the caller's promise.
    unsafe { store(call, &from, address, size) };
    let _unwatched = sanitizer::Unwatched::begin();
    drop(from);
    made(active, call, Ok(number))
}

/// # Safety
/// As `getsockname`; `peer` tells the other end's in its place.
unsafe fn tell_name(
    active: &Active,
    call: Call,
    number: c_int,
    (address, size): (*mut c_void, *mut Size),
    peer: bool,
) -> Result<c_int, Errno> {
    let file = enter(active, call, number)?;
    let bytes = ask(active, |kernel| {
        let socket = kernel.socket(file)?;
        if peer {
            return socket.peer_address().ok_or(libc::ENOTCONN);
        }
        Ok(socket.name.as_ref().map_or_else(|| Name::none(socket.family), Name::bytes))
    })?;
    // SAFETY: the caller's promise.
    unsafe { store(call, &bytes, address, size) };
    let _unwatched = sanitizer::Unwatched::begin();
    drop(bytes);
    Ok(0)
}

/// A call that is emulated on what is ours, and otherwise passed on: it fails there.
macro_rules! on_sockets {
    ($($(#[doc = $doc:literal])* fn $name:ident($number:ident: c_int $(, $argument:ident: $type:ty)*)
        |$active:ident, $call:ident| $body:block)*) => {
        stand_in_for_calls! {$(
            $(#[doc = $doc])*
            fn $name($number: c_int $(, $argument: $type)*) -> c_int |$active, $call| {
                if !is_ours($active, $number) {
                    // SAFETY: passed on unchanged.
                    return unsafe { real!($name: fn(c_int $(, $type)*) -> c_int)($number $(, $argument)*) };
                }
                report_int($body)
            }
        )*}
    };
}

on_sockets! {
    fn bind(number: c_int, address: *const c_void, size: Size) |active, call| {
        // SAFETY: the caller's promise.
        unsafe { bind_to(active, call, number, address, size) }
    }

    fn listen(number: c_int, backlog: c_int) |active, call| {
        enter(active, call, number).and_then(|file| {
            // As the system: a negative one is a large one, of which it takes so much.
            let backlog = usize::try_from(backlog).unwrap_or(usize::MAX).min(libc::SOMAXCONN as usize);
            active.ask(Controller::progress);
            ask(active, |kernel| kernel.listen(file, backlog)).map(|()| 0)
        })
    }

    fn connect(number: c_int, address: *const c_void, size: Size) |active, call| {
        // SAFETY: the caller's promise.
        unsafe { connect_to(active, call, number, address, size) }
    }

    fn accept(number: c_int, address: *mut c_void, size: *mut Size) |active, call| {
        // SAFETY: the caller's promise.
        unsafe { accept_one(active, call, number, address, size, 0) }
    }

    fn accept4(number: c_int, address: *mut c_void, size: *mut Size, flags: c_int) |active, call| {
        // SAFETY: the caller's promise.
        unsafe { accept_one(active, call, number, address, size, flags) }
    }

    fn getsockname(number: c_int, address: *mut c_void, size: *mut Size) |active, call| {
        // SAFETY: the caller's promise.
        unsafe { tell_name(active, call, number, (address, size), false) }
    }

    fn getpeername(number: c_int, address: *mut c_void, size: *mut Size) |active, call| {
        // SAFETY: the caller's promise.
        unsafe { tell_name(active, call, number, (address, size), true) }
    }

    fn shutdown(number: c_int, how: c_int) |active, call| {
        let ends = match how {
            libc::SHUT_RD => Ok((true, false)),
            libc::SHUT_WR => Ok((false, true)),
            libc::SHUT_RDWR => Ok((true, true)),
            _ => Err(libc::EINVAL),
        };
        enter(active, call, number).and_then(|file| {
            active.ask(Controller::progress);
            ends.and_then(|(reading, writing)| ask(active, |kernel| kernel.shut_down(file, reading, writing))).map(|()| 0)
        })
    }

    fn setsockopt(number: c_int, level: c_int, name: c_int, value: *const c_void, size: Size) |active, call| {
        enter(active, call, number).and_then(|file| {
            order::reads(value as usize, size as usize, call.caller);
            // SAFETY: the caller's promise.
            let value = unsafe { std::slice::from_raw_parts(value.cast::<u8>(), if value.is_null() { 0 } else { size as usize }) };
            ask(active, |kernel| kernel.set_option(file, level, name, value)).map(|()| 0)
        })
    }

    fn getsockopt(number: c_int, level: c_int, name: c_int, value: *mut c_void, size: *mut Size) |active, call| {
        enter(active, call, number).and_then(|file| {
            let bytes = ask(active, |kernel| kernel.option(file, level, name))?;
            // SAFETY: the caller's promise.
            unsafe {
                if !size.is_null() {
                    *size = (*size).min(bytes.len() as Size);
                }
                store(call, &bytes[..if size.is_null() { 0 } else { *size as usize }], value, size);
            }
            acquire(active, file);
            let _unwatched = sanitizer::Unwatched::begin();
            drop(bytes);
            Ok(0)
        })
    }
}

stand_in_for_calls! {
    fn socket(family: c_int, type_and_flags: c_int, protocol: c_int) -> c_int |active, call| {
        report_int(kind(active, family, type_and_flags, protocol).and_then(|kind| {
            active.pass(OpKind::Descriptor, 0);
            let number = ask(active, |kernel| {
                let number = kernel.open_socket(Socket::new(family, kind), type_and_flags & libc::SOCK_NONBLOCK != 0)?;
                kernel.set_closes_on_exec(number, type_and_flags & libc::SOCK_CLOEXEC != 0);
                Ok(number)
            });
            made(active, call, number)
        }))
    }

    fn socketpair(family: c_int, type_and_flags: c_int, protocol: c_int, pair: *mut c_int) -> c_int |active, call| {
        if family != libc::AF_UNIX {
            return report_int(Err::<c_int, _>(libc::EOPNOTSUPP));
        }
        report_int(kind(active, family, type_and_flags, protocol).and_then(|kind| {
            active.pass(OpKind::Descriptor, 0);
            let made = ask(active, |kernel| kernel.socket_pair(kind, type_and_flags & libc::SOCK_NONBLOCK != 0));
            // SAFETY: the caller's promise.
            unsafe { store_pair(active, call, made, type_and_flags & libc::SOCK_CLOEXEC, pair) }
        }))
    }
}
