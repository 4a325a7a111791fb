//! The calls that lead to where the calling thread stands.

use std::ffi::{c_int, c_void};
use std::ops::ControlFlow;

unsafe extern "C" {
    /// libgcc: calls `visit` for each frame, from the innermost on.
    fn _Unwind_Backtrace(visit: unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int, data: *mut c_void) -> c_int;
    fn _Unwind_GetIP(frame: *mut c_void) -> usize;
    /// Where the frame ends that this one called, so where the stack was before that call.
    fn _Unwind_GetCFA(frame: *mut c_void) -> usize;
}

/// `_URC_NO_REASON` and `_URC_END_OF_STACK` of the C++ ABI.
const GO_ON: c_int = 0;
const ENOUGH: c_int = 5;

/// A frame of the stack.
pub(super) struct Frame {
    /// The address to which the call that it made returns.
    pub returns_to: usize,
    /// Where the frame ends that this one called.
    pub end_of_callee: usize,
}

/// Gives each frame, from the innermost on.
pub(super) fn walk(mut visit: impl FnMut(Frame) -> ControlFlow<()>) {
    unsafe extern "C" fn look_at<V: FnMut(Frame) -> ControlFlow<()>>(frame: *mut c_void, visit: *mut c_void) -> c_int {
        // SAFETY: the unwinder's frame, and the argument that `walk` gave.
        let (returns_to, end_of_callee, visit) =
            unsafe { (_Unwind_GetIP(frame), _Unwind_GetCFA(frame), &mut *visit.cast::<V>()) };
        if visit(Frame { returns_to, end_of_callee }).is_continue() { GO_ON } else { ENOUGH }
    }
    fn start<V: FnMut(Frame) -> ControlFlow<()>>(visit: &mut V) {
        // SAFETY: `look_at` does as the unwinder asks, and `visit` outlives the walk.
        unsafe { _Unwind_Backtrace(look_at::<V>, (&raw mut *visit).cast()) };
    }
    start(&mut visit);
}
