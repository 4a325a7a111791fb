//! `errno`, one for each fiber.
//!
//! Fibers share their OS thread's variable. Its value moves with the fiber, but TSan would see different
//! threads write one address and report a race that is none. So instrumented code is given an address of
//! its fiber's own, and what libc wrote to the real variable is carried over when the code next asks.

use std::ffi::c_int;

use crate::control::active::active;
use crate::control::virtual_thread::own_errno;

/// In the real variable: libc has not written to it since it was last carried over. Not an error number.
const CARRIED_OVER: c_int = c_int::MIN;

/// Stands in for `__errno_location`: where the calling virtual thread finds its `errno`.
#[unsafe(no_mangle)]
extern "C-unwind" fn __errno_location() -> *mut c_int {
    let own = own_errno();
    let Some(active) = active().filter(|active| active.engine.has_fibers()) else {
        return own;
    };
    let errno = &active.engine.thread(active.current()).errno;
    // SAFETY: the calling OS thread's variable.
    unsafe {
        if *own != CARRIED_OVER {
            errno.set(*own);
            *own = CARRIED_OVER;
        }
    }
    errno.as_ptr()
}
