//! Opening, closing and copying descriptors, and calls on what they stand for.

use std::ffi::{c_char, c_int, c_long, c_void};

use super::{Call, Fate, calling, calling_on, calls, made, opened, parts, point, set_errno};
use crate::control::active::Active;
use crate::control::files::MAX_DESCRIPTORS;
use crate::control::hooks::random::Place;
use crate::control::real::real;

calls! { behind
    Call::Read => read(descriptor: c_int, buffer: *mut c_void, size: usize) -> isize;
    Call::Read => readv(descriptor: c_int, buffers: *const libc::iovec, count: c_int) -> isize;
    Call::Write { divisible: false } => writev(descriptor: c_int, buffers: *const libc::iovec, count: c_int) -> isize;
    Call::Look => fstat(descriptor: c_int, found: *mut c_void) -> c_int;
    Call::Look => fstat64(descriptor: c_int, found: *mut c_void) -> c_int;
}

calls! { on
    Call::Read => pread(descriptor: c_int, buffer: *mut c_void, size: usize, offset: c_long) -> isize;
    Call::Read => pread64(descriptor: c_int, buffer: *mut c_void, size: usize, offset: c_long) -> isize;
    Call::Truncate => ftruncate(descriptor: c_int, length: c_long) -> c_int;
    Call::Truncate => ftruncate64(descriptor: c_int, length: c_long) -> c_int;
}

type Path = *const c_char;

/// Hooks for the functions that open: the arguments before the path are named, after it come flags and mode.
macro_rules! opens {
    ($($name:ident($($argument:ident: $type:ty),*; $path:ident);)*) => {$(
        #[doc = concat!("Stands in for `", stringify!($name), "`; a point.")]
        ///
        /// The C function has `mode` only where it may create; on the targets we support, it is passed in
        /// the same way and ignored if its caller did not set it.
        ///
        /// # Safety
        /// That of the function.
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name($($argument: $type,)* $path: Path, flags: c_int, mode: libc::mode_t) -> c_int {
            // SAFETY: the caller's promise of a C string.
            let place = unsafe { Place::of($path) };
            // SAFETY: passed on, with the path of another file if there is one.
            open_with(&place, flags, || unsafe {
                let path = place.path($path);
                real!($name: fn($($type,)* Path, c_int, libc::mode_t) -> c_int)($($argument,)* path, flags, mode)
            })
        }
    )*};
}

opens! {
    open(; path);
    open64(; path);
    openat(at: c_int; path);
    openat64(at: c_int; path);
}

/// Stands in for `creat`; a scheduling point.
///
/// # Safety
/// That of `creat`. The same holds for the others below.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn creat(path: *const c_char, mode: libc::mode_t) -> c_int {
    // SAFETY: passed on unchanged.
    open_with(&Place::Itself, libc::O_CREAT, || unsafe {
        real!(creat: fn(*const c_char, libc::mode_t) -> c_int)(path, mode)
    })
}

/// Stands in for `creat64`; a point.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn creat64(path: *const c_char, mode: libc::mode_t) -> c_int {
    // SAFETY: passed on unchanged.
    open_with(&Place::Itself, libc::O_CREAT, || unsafe {
        real!(creat64: fn(*const c_char, libc::mode_t) -> c_int)(path, mode)
    })
}

fn open_with(place: &Place, flags: c_int, open: impl FnOnce() -> c_int) -> c_int {
    let Some(active) = calling() else { return open() };
    let creates = flags & libc::O_CREAT != 0 || flags & libc::O_TMPFILE == libc::O_TMPFILE;
    let call = if creates { Call::Create } else { Call::Open };
    if let Fate::Fails(error) = point(active, call) {
        set_errno(error);
        return -1;
    }
    make_room(active);
    let descriptor = open();
    place.opened(descriptor);
    opened(active, if flags & libc::O_TRUNC != 0 { Call::Truncate } else { call }, descriptor);
    descriptor
}

/// Ends the execution if the target may open no more.
pub(super) fn make_room(active: &Active) {
    if active.ask(|controller| controller.files.is_full()) {
        active.refuse(&format!("more than {MAX_DESCRIPTORS} open files at once"));
    }
}

/// `close` of a file; a point.
///
/// # Safety
/// That of the function.
pub(in crate::control::hooks) unsafe fn close(descriptor: c_int) -> c_int {
    let active = calling_on(descriptor);
    if let Some(active) = active {
        point(active, Call::Close);
        made(active, Call::Close, Some(descriptor), 0);
    }
    // SAFETY: passed on unchanged.
    let result = unsafe { real!(close: fn(c_int) -> c_int)(descriptor) };
    if let Some(active) = active {
        active.ask(|controller| controller.forget_descriptor(descriptor));
    }
    result
}

/// Stands in for `fsync`; a point.
///
/// # Safety
/// That of `fsync`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn fsync(descriptor: c_int) -> c_int {
    // SAFETY: passed on unchanged.
    sync_with(descriptor, || unsafe { real!(fsync: fn(c_int) -> c_int)(descriptor) })
}

/// Stands in for `fdatasync`; a point.
///
/// # Safety
/// That of `fdatasync`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn fdatasync(descriptor: c_int) -> c_int {
    // SAFETY: passed on unchanged.
    sync_with(descriptor, || unsafe { real!(fdatasync: fn(c_int) -> c_int)(descriptor) })
}

/// Under control nothing waits for the disk: what crashes there is a process, and files survive that. Waiting
/// would take a hundred times as long as the rest of an execution.
fn sync_with(descriptor: c_int, sync: impl FnOnce() -> c_int) -> c_int {
    let Some(active) = calling_on(descriptor) else { return sync() };
    match point(active, Call::Sync) {
        Fate::Fails(error) => {
            set_errno(error);
            -1
        }
        Fate::GoesOn | Fate::WritesHalf => {
            made(active, Call::Sync, Some(descriptor), 0);
            0
        }
    }
}

/// Writes as many of so many bytes as the call is to write.
fn write_with(descriptor: c_int, size: usize, write: impl FnOnce(usize) -> isize) -> isize {
    let Some(active) = calling_on(descriptor) else { return write(size) };
    let call = Call::Write { divisible: size > 1 };
    let size = match point(active, call) {
        Fate::GoesOn => size,
        Fate::WritesHalf => size / 2,
        Fate::Fails(error) => {
            set_errno(error);
            return -1;
        }
    };
    let written = write(size);
    made(active, call, Some(descriptor), written);
    written
}

/// `write` of a file; a point.
///
/// # Safety
/// That of the function.
pub(in crate::control::hooks) unsafe fn write(descriptor: c_int, bytes: *const c_void, size: usize) -> isize {
    // SAFETY: passed on, with no greater size.
    write_with(descriptor, size, |size| unsafe {
        real!(write: fn(c_int, *const c_void, usize) -> isize)(descriptor, bytes, size)
    })
}

/// Hooks for writes at an offset.
macro_rules! writes_at {
    ($($name:ident)*) => {$(
        #[doc = concat!("Stands in for `", stringify!($name), "`; a point.")]
        ///
        /// # Safety
        /// That of the function.
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name(
            descriptor: c_int,
            bytes: *const c_void,
            size: usize,
            offset: c_long,
        ) -> isize {
            // SAFETY: passed on, with no greater size.
            write_with(descriptor, size, |size| unsafe {
                real!($name: fn(c_int, *const c_void, usize, c_long) -> isize)(descriptor, bytes, size, offset)
            })
        }
    )*};
}

writes_at! { pwrite pwrite64 }

/// `dup` of a file. No point: it touches no file.
///
/// # Safety
/// That of the function.
pub(in crate::control::hooks) unsafe fn dup(descriptor: c_int) -> c_int {
    // SAFETY: passed on unchanged.
    copy_with(descriptor, || unsafe { real!(dup: fn(c_int) -> c_int)(descriptor) })
}

/// `dup2` of a file; as `dup`.
///
/// # Safety
/// That of the function.
pub(in crate::control::hooks) unsafe fn dup2(descriptor: c_int, number: c_int) -> c_int {
    // SAFETY: passed on unchanged.
    copy_with(descriptor, || unsafe { real!(dup2: fn(c_int, c_int) -> c_int)(descriptor, number) })
}

/// `dup3` of a file; as `dup`.
///
/// # Safety
/// That of the function.
pub(in crate::control::hooks) unsafe fn dup3(descriptor: c_int, number: c_int, flags: c_int) -> c_int {
    // SAFETY: passed on unchanged.
    copy_with(descriptor, || unsafe { real!(dup3: fn(c_int, c_int, c_int) -> c_int)(descriptor, number, flags) })
}

/// Hooks for `fcntl`, which copies descriptors too. Locks of parts of a file that the process owns never keep one of its
/// threads from anything; those of open files do.
macro_rules! controls {
    ($($name:ident)*) => {$(
        #[doc = concat!("`", stringify!($name), "` of a file; as `dup`.")]
        ///
        /// # Safety
        /// That of the function; its variable argument is passed on as a word.
        pub(in crate::control::hooks) unsafe fn $name(descriptor: c_int, command: c_int, argument: usize) -> c_int {
            // SAFETY: passed on unchanged.
            let call = || unsafe { real!($name: fn(c_int, c_int, usize) -> c_int)(descriptor, command, argument) };
            match command {
                libc::F_DUPFD | libc::F_DUPFD_CLOEXEC => copy_with(descriptor, call),
                // SAFETY: the caller's promise.
                libc::F_OFD_GETLK | libc::F_OFD_SETLK | libc::F_OFD_SETLKW => unsafe {
                    parts::lock(descriptor, command, argument as *mut libc::flock)
                },
                _ => call(),
            }
        }
    )*};
}

controls! { fcntl fcntl64 }

fn copy_with(descriptor: c_int, copy: impl FnOnce() -> c_int) -> c_int {
    let Some(active) = calling() else { return copy() };
    let open = active.ask(|controller| {
        controller.use_number(descriptor);
        controller.files.open_of(descriptor)
    });
    if open.is_some() {
        make_room(active);
    }
    let number = copy();
    if number >= 0 && number != descriptor {
        active.ask(|controller| {
            // What had the number before is closed.
            controller.forget_descriptor(number);
            if open.is_some() {
                controller.add_descriptor(number, open);
            }
        });
    }
    number
}
