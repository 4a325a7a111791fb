//! Calls on files: each that the target makes is a scheduling point, and a place where it can be made to fail.
//!
//! The files are real ones, in the session's directory. A call counts if it is made on a virtual thread by
//! anything but a Rust panic, which may print and read symbols; one that names a descriptor counts if the
//! target opened that during this execution. All others are passed through.

mod descriptor;
mod listing;
mod lock;
mod parts;
mod path;
mod stream;

pub(super) use descriptor::{close, dup, dup2, dup3, fcntl, fcntl64, fstat, fstat64, read, readv, write, writev};

use std::ffi::c_int;

use super::set_errno;
use crate::control::active::{Active, active};
use crate::control::files::{FILES, FileUse};
use crate::control::real::real;
use crate::control::sanitizer::Unwatched;
use crate::model::op::OpKind;
use crate::model::schedule::Injection;
use crate::strategy::Use;

/// What a call does, as far as it decides how it can be made to fail. A crash comes before any call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    /// Opens what is there already.
    Open,
    /// Opens and may create.
    Create,
    Read,
    Write {
        /// More than one byte, and so possibly fewer than asked for.
        divisible: bool,
    },
    /// Never fails: on Linux the descriptor is gone whatever `close` returns.
    Close,
    /// Makes a name: rename, link, mkdir.
    Name,
    /// Removes a name.
    Remove,
    /// Reads what is known of a file: the `stat` family. Never fails.
    Look,
    Sync,
    Truncate,
    Lock,
    /// Never fails, as it would leave nothing that the caller could do.
    Unlock,
}

impl Call {
    /// Whether a call that gave this may have changed more than which descriptors there are: the place in a file counts.
    fn changed(self, result: isize) -> bool {
        match self {
            Self::Open | Self::Close | Self::Look | Self::Sync => false,
            Self::Read => result > 0,
            _ => result >= 0,
        }
    }

    /// What a call that gave this did with files.
    fn used(self, result: isize) -> FileUse {
        match self {
            Self::Close | Self::Sync | Self::Lock | Self::Unlock => FileUse::Spares,
            Self::Read if result > 0 => FileUse::Reads,
            Self::Read | Self::Open | Self::Look => FileUse::Looks,
            _ if result < 0 => FileUse::Looks,
            _ => FileUse::Changes,
        }
    }

    /// Tells kinds of call apart where places in the code are: 0 stands for no place.
    fn number(self) -> usize {
        match self {
            Self::Open => 1,
            Self::Create => 2,
            Self::Read => 3,
            Self::Write { .. } => 4,
            Self::Close => 5,
            Self::Name => 6,
            Self::Remove => 7,
            Self::Look => 8,
            Self::Sync => 9,
            Self::Truncate => 10,
            Self::Lock => 11,
            Self::Unlock => 12,
        }
    }

    fn may_fail_with(self, injection: Injection) -> bool {
        match injection {
            Injection::Eio => !matches!(self, Self::Close | Self::Look | Self::Unlock),
            Injection::Enospc => matches!(self, Self::Create | Self::Write { .. } | Self::Name | Self::Sync),
            Injection::ShortWrite => self == Self::Write { divisible: true },
            Injection::Crash => true,
            Injection::SpuriousWakeUp | Injection::WeakFailure => false,
            Injection::ShortRead | Injection::Interrupted | Injection::Reset => false,
        }
    }
}

/// What the strategy made of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    GoesOn,
    /// The call has no effect and fails with this error.
    Fails(c_int),
    WritesHalf,
}

/// The execution under control that the calling thread makes a file call in, if it does.
fn calling() -> Option<&'static Active> {
    active().filter(|_| !std::thread::panicking())
}

/// As `calling`, for a call on a descriptor.
fn calling_on(descriptor: c_int) -> Option<&'static Active> {
    calling().filter(|active| {
        active.ask(|controller| {
            let is_open = controller.files.open_of(descriptor).is_some();
            if !is_open {
                controller.use_number(descriptor);
            }
            is_open
        })
    })
}

/// The point of a call. Does not return if the process crashes there.
fn point(active: &Active, call: Call) -> Fate {
    active.ask(|controller| controller.files.touched = true);
    active.pass_at(OpKind::File, FILES, call.number());
    let injected = {
        let _unwatched = Unwatched::begin();
        active.ask(|controller| controller.inject(|injection| call.may_fail_with(injection)))
    };
    let fails = |error| {
        active.report(Use::Looked(FILES));
        Fate::Fails(error)
    };
    match injected {
        None => Fate::GoesOn,
        Some(Injection::Eio) => fails(libc::EIO),
        Some(Injection::Enospc) => fails(libc::ENOSPC),
        Some(Injection::ShortWrite) => Fate::WritesHalf,
        Some(Injection::Crash) => active.crash(),
        Some(_) => unreachable!("no file call fails so"),
    }
}

/// After a call, on that descriptor if there is one: who only looks, opens, closes and fails may be waiting for others.
fn made(active: &Active, call: Call, on: Option<c_int>, result: isize) {
    active.ask(|controller| {
        controller.use_files(on, call.used(result));
        if call.changed(result) {
            controller.progress();
        }
    });
}

/// After a call that opens, with the new descriptor or something below 0.
fn opened(active: &Active, call: Call, descriptor: c_int) {
    active.ask(|controller| match descriptor {
        0.. => controller.add_descriptor(descriptor, None),
        // Otherwise it might have got a number.
        _ => controller.use_number(descriptor),
    });
    made(active, call, None, descriptor as isize);
}

/// Hooks for calls that are a point and otherwise the real call: `kind: name(arguments) -> result`. They
/// fail with -1. After `on`, those whose first argument is a descriptor.
macro_rules! calls {
    ($($kind:expr => $name:ident($first:ident: $first_type:ty $(, $argument:ident: $type:ty)*) -> $result:ty;)*) => {$(
        calls! { @hook calling(), None, $kind, $name, $result, $first: $first_type $(, $argument: $type)* }
    )*};
    (on $($kind:expr => $name:ident($first:ident: $first_type:ty $(, $argument:ident: $type:ty)*) -> $result:ty;)*) => {$(
        calls! { @hook calling_on($first), Some($first), $kind, $name, $result, $first: $first_type $(, $argument: $type)* }
    )*};
    (behind $($kind:expr => $name:ident($first:ident: $first_type:ty $(, $argument:ident: $type:ty)*) -> $result:ty;)*) => {$(
        #[doc = concat!("`", stringify!($name), "` of a file; a point.")]
        ///
        /// # Safety
        /// That of the function.
        pub(in crate::control::hooks) unsafe fn $name($first: $first_type $(, $argument: $type)*) -> $result {
            calls! { @body calling_on($first), Some($first), $kind, $name, $result, $first: $first_type $(, $argument: $type)* }
        }
    )*};
    (@hook $active:expr, $on:expr, $kind:expr, $name:ident, $result:ty, $($argument:ident: $type:ty),*) => {
        #[doc = concat!("Stands in for `", stringify!($name), "`; a point.")]
        ///
        /// # Safety
        /// That of the function.
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name($($argument: $type),*) -> $result {
            calls! { @body $active, $on, $kind, $name, $result, $($argument: $type),* }
        }
    };
    (@body $active:expr, $on:expr, $kind:expr, $name:ident, $result:ty, $($argument:ident: $type:ty),*) => {{
        let active = $active;
        if let Some(active) = active
            && let Fate::Fails(error) = point(active, $kind)
        {
            set_errno(error);
            return -1;
        }
        // SAFETY: passed on unchanged.
        let result = unsafe { real!($name: fn($($type),*) -> $result)($($argument),*) };
        if let Some(active) = active {
            made(active, $kind, $on, result as isize);
        }
        result
    }};
}
use calls;

/// Closes what the target left open; how many that were. Called by the root.
pub(in crate::control) fn close_left(active: &Active) -> u32 {
    active.ask(|controller| {
        let _unwatched = Unwatched::begin();
        controller.kernel.end();
    });
    if !active.ask(|controller| controller.files.touched) {
        return 0;
    }
    // After a crash nothing orders the target's use of descriptors with this one.
    let _unwatched = Unwatched::begin();
    let mut closed = listing::close_left(active);
    while let Some(descriptor) = active.ask(|controller| controller.files.take_left()) {
        // SAFETY: the target opened it and goes on no further.
        unsafe { real!(close: fn(c_int) -> c_int)(descriptor) };
        closed += 1;
    }
    closed
}
