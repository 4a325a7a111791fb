//! Streams of C (`FILE`), under `std::fstream` too: opening and closing them. What libc reads and writes for
//! one inside is no scheduling point; `std::fstream` reads and writes with the calls of its descriptor, which are.

use std::ffi::{c_char, c_int};

use super::descriptor::make_room;
use super::{Call, Fate, calling, calling_on, opened, point, set_errno};
use crate::control::hooks::random::Place;
use crate::control::real::real;

/// Hooks for `fopen` in both forms.
macro_rules! opens {
    ($($name:ident)*) => {$(
        #[doc = concat!("Stands in for `", stringify!($name), "`; a point.")]
        ///
        /// # Safety
        /// That of the function.
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name(path: *const c_char, mode: *const c_char) -> *mut libc::FILE {
            let active = calling();
            let mut call = Call::Open;
            if let Some(active) = active {
                // SAFETY: the caller's promise of a C string.
                let creates = unsafe { *mode } != b'r' as c_char;
                call = if creates { Call::Create } else { Call::Open };
                if let Fate::Fails(error) = point(active, call) {
                    set_errno(error);
                    return std::ptr::null_mut();
                }
                make_room(active);
            }
            // SAFETY: the caller's promise of a C string.
            let place = unsafe { Place::of(path) };
            let path = place.path(path);
            // SAFETY: passed on, with the path of another file if there is one.
            let stream = unsafe { real!($name: fn(*const c_char, *const c_char) -> *mut libc::FILE)(path, mode) };
            if let Some(active) = active {
                // SAFETY: just opened.
                let descriptor = if stream.is_null() { -1 } else { unsafe { libc::fileno(stream) } };
                place.opened(descriptor);
                opened(active, call, descriptor);
            }
            stream
        }
    )*};
}

opens! { fopen fopen64 }

/// Stands in for `fclose`; a point.
///
/// # Safety
/// That of `fclose`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn fclose(stream: *mut libc::FILE) -> c_int {
    let closing = calling().and_then(|_| {
        // SAFETY: the caller's promise.
        let descriptor = unsafe { libc::fileno(stream) };
        calling_on(descriptor).map(|active| (active, descriptor))
    });
    if let Some((active, _)) = closing {
        point(active, Call::Close);
    }
    // SAFETY: passed on unchanged.
    let result = unsafe { real!(fclose: fn(*mut libc::FILE) -> c_int)(stream) };
    if let Some((active, descriptor)) = closing {
        active.ask(|controller| controller.forget_descriptor(descriptor));
    }
    result
}
