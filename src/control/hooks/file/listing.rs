//! Reading directories: in the order of names, since the order of a real directory depends on its disk.

use std::ffi::{c_char, c_int};

use super::descriptor::make_room;
use super::{Call, Fate, calling, made, opened, point, set_errno};
use crate::control::active::{Active, active};
use crate::control::real::real;
use crate::control::sanitizer::Unwatched;
use crate::strategy::Use;

/// Closes the directories that the target left open; how many those were.
pub(super) fn close_left(active: &Active) -> u32 {
    let mut closed = 0;
    while let Some(stream) = active.ask(|controller| controller.listings.take_left()) {
        // SAFETY: the target opened it and goes on no further.
        unsafe { close_stream(active, stream) };
        closed += 1;
    }
    closed
}

/// # Safety
/// The stream is open.
unsafe fn close_stream(active: &Active, stream: *mut libc::DIR) -> c_int {
    // SAFETY: the caller's promise.
    let (descriptor, result) = unsafe { (libc::dirfd(stream), real!(closedir: fn(*mut libc::DIR) -> c_int)(stream)) };
    active.ask(|controller| controller.forget_descriptor(descriptor));
    result
}

fn add(active: &Active, stream: *mut libc::DIR) {
    let _unwatched = Unwatched::begin();
    active.ask(|controller| controller.listings.add(stream));
}

/// Stands in for `opendir`; a scheduling point.
///
/// # Safety
/// That of `opendir`. The same holds for the others below.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn opendir(path: *const c_char) -> *mut libc::DIR {
    let active = calling();
    if let Some(active) = active {
        if let Fate::Fails(error) = point(active, Call::Open) {
            set_errno(error);
            return std::ptr::null_mut();
        }
        make_room(active);
    }
    // SAFETY: passed on unchanged.
    let stream = unsafe { real!(opendir: fn(*const c_char) -> *mut libc::DIR)(path) };
    if let Some(active) = active {
        // SAFETY: just opened.
        let descriptor = if stream.is_null() { -1 } else { unsafe { libc::dirfd(stream) } };
        opened(active, Call::Open, descriptor);
        if !stream.is_null() {
            add(active, stream);
        }
    }
    stream
}

/// Stands in for `fdopendir`. No point: the directory is open already.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn fdopendir(descriptor: c_int) -> *mut libc::DIR {
    // SAFETY: passed on unchanged.
    let stream = unsafe { real!(fdopendir: fn(c_int) -> *mut libc::DIR)(descriptor) };
    if let Some(active) = super::calling_on(descriptor).filter(|_| !stream.is_null()) {
        add(active, stream);
    }
    stream
}

/// The listing of a stream, if the target opened it, and the fate of reading it.
fn reading(stream: *mut libc::DIR) -> Option<(&'static Active, Fate)> {
    let active = calling()?;
    active.ask(|controller| controller.listings.of(stream).is_some()).then(|| (active, point(active, Call::Read)))
}

/// Hooks for `readdir` in both forms, which are the same on the targets we support.
macro_rules! reads {
    ($($name:ident)*) => {$(
        #[doc = concat!("Stands in for `", stringify!($name), "`; a point.")]
        ///
        /// # Safety
        /// That of the function.
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name(stream: *mut libc::DIR) -> *mut libc::dirent64 {
            match reading(stream) {
                // SAFETY: passed on unchanged.
                None => unsafe { real!($name: fn(*mut libc::DIR) -> *mut libc::dirent64)(stream) },
                Some((_, Fate::Fails(error))) => {
                    set_errno(error);
                    std::ptr::null_mut()
                }
                Some((active, _)) => {
                    let _unwatched = Unwatched::begin();
                    let entry = active.ask(|controller| match controller.listings.of(stream) {
                        // SAFETY: the caller's promise.
                        Some(listing) => unsafe { listing.next() },
                        None => std::ptr::null_mut(),
                    });
                    // SAFETY: it is open, as it has a listing.
                    made(active, Call::Read, Some(unsafe { libc::dirfd(stream) }), (!entry.is_null()).into());
                    entry
                }
            }
        }
    )*};
}

reads! { readdir readdir64 }

/// Stands in for `rewinddir`: the directory is read anew.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn rewinddir(stream: *mut libc::DIR) {
    // SAFETY: passed on unchanged.
    unsafe { real!(rewinddir: fn(*mut libc::DIR))(stream) };
    if let Some(active) = active() {
        let _unwatched = Unwatched::begin();
        active.ask(|controller| {
            if let Some(listing) = controller.listings.of(stream) {
                listing.rewind();
                // SAFETY: it is open, as it has a listing.
                controller.use_place(unsafe { libc::dirfd(stream) }, true);
            }
        });
    }
}

/// Stands in for `closedir`; a point.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn closedir(stream: *mut libc::DIR) -> c_int {
    let known = |active: &&Active| active.ask(|controller| controller.listings.of(stream).is_some());
    let Some(active) = calling().filter(known) else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(closedir: fn(*mut libc::DIR) -> c_int)(stream) };
    };
    point(active, Call::Close);
    active.report(Use::Elsewhere);
    {
        let _unwatched = Unwatched::begin();
        active.ask(|controller| controller.listings.remove(stream));
    }
    // SAFETY: the caller's promise.
    unsafe { close_stream(active, stream) }
}
