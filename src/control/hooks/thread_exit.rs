//! The end of a thread in the middle: `pthread_exit`, `thrd_exit`, and the handlers of `pthread_cleanup_push` in C.

use std::ffi::{c_int, c_void};

use super::stand_in;
use crate::control::active::Active;

unsafe extern "C-unwind" {
    // cpp/control/thread_exit.cpp
    fn threadbare_exit_thread(place: *mut c_void, result: *mut c_void) -> !;
    fn threadbare_exit_further(place: *mut c_void) -> !;
    fn threadbare_push_handler(place: *mut c_void, buffer: *mut c_void);
    fn threadbare_pop_handler(place: *mut c_void, buffer: *mut c_void);
}

/// What the running thread's first frame said of itself.
fn place(active: &Active) -> *mut c_void {
    active.engine.thread(active.current()).exit_place.get()
}

stand_in! {
    #[doc = "The stack is unwound; other threads go on, whichever thread it is."]
    fn pthread_exit(result: *mut c_void) |active| {
        // SAFETY: the running thread's, which has not returned from its first function.
        unsafe { threadbare_exit_thread(place(active), result) }
    }

    fn thrd_exit(result: c_int) |active| {
        // SAFETY: the running thread's, which has not returned from its first function.
        unsafe { threadbare_exit_thread(place(active), result as isize as *mut c_void) }
    }

    fn __pthread_register_cancel(buffer: *mut c_void) |active| {
        // SAFETY: the running thread's; the buffer is in the frame that `pthread_cleanup_push` stands in.
        unsafe { threadbare_push_handler(place(active), buffer) };
    }

    fn __pthread_unregister_cancel(buffer: *mut c_void) |active| {
        // SAFETY: the running thread's, which has not returned from its first function.
        unsafe { threadbare_pop_handler(place(active), buffer) };
    }

    fn __pthread_unwind_next(buffer: *mut c_void) |active| {
        let _ = buffer; // It has been popped when it was jumped to.
        // SAFETY: the running thread's, which has not returned from its first function.
        unsafe { threadbare_exit_further(place(active)) }
    }
}
