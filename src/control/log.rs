//! The log of one execution: every scheduling point, and where in the program under check it was passed. For people, so
//! it is kept only on request.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::ops::Range;

use crate::model::execution::{Object, Step, ThreadId};
use crate::model::op::OpKind;

/// Steps that are kept: the first ones.
const MAX_STEPS: usize = 100_000;
/// Calls on the stack that are kept of a step, the innermost ones of the program's own.
const MAX_FRAMES: usize = 16;

unsafe extern "C" {
    /// libgcc: calls `visit` for each frame, from the innermost on.
    fn _Unwind_Backtrace(visit: unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int, data: *mut c_void) -> c_int;
    fn _Unwind_GetIP(frame: *mut c_void) -> usize;
}

/// `_URC_NO_REASON` and `_URC_END_OF_STACK` of the C++ ABI.
const GO_ON: c_int = 0;
const ENOUGH: c_int = 5;

/// Where the points of an execution go that is looked at.
pub(super) struct Log {
    program: Range<usize>,
    code: Range<usize>,
    steps: RefCell<Vec<Step>>,
}

impl Log {
    /// Of a program that was loaded to that range, its code to a part of it.
    pub fn new(program: Range<usize>, code: Range<usize>) -> Self {
        Self { program, code, steps: RefCell::default() }
    }

    pub fn add(&self, thread: ThreadId, kind: OpKind, object: usize, runnable: u64) {
        self.push(thread, kind, self.object(object), runnable);
    }

    /// As `add`, of an operation on another thread, or the end of a thread.
    pub fn add_on_thread(&self, thread: ThreadId, kind: OpKind, other: ThreadId, runnable: u64) {
        self.push(thread, kind, Object::Thread(other), runnable);
    }

    fn object(&self, object: usize) -> Object {
        if object == 0 {
            Object::Nothing
        } else if self.program.contains(&object) {
            Object::Variable((object - self.program.start) as u64)
        } else {
            Object::Memory(object as u64)
        }
    }

    fn push(&self, thread: ThreadId, kind: OpKind, object: Object, runnable: u64) {
        let mut steps = self.steps.borrow_mut();
        if steps.len() < MAX_STEPS {
            steps.push(Step { thread, kind, object, runnable, frames: self.frames() });
        }
    }

    pub fn take(&self) -> Vec<Step> {
        self.steps.take()
    }

    /// The calls that lead here, as offsets in the program.
    fn frames(&self) -> Vec<u64> {
        let mut visit = Visit { program: self.program.start, code: self.code.clone(), frames: Vec::new() };
        // SAFETY: `look_at` does as the unwinder asks, and `visit` outlives the walk.
        unsafe { _Unwind_Backtrace(look_at, (&raw mut visit).cast()) };
        visit.frames
    }
}

struct Visit {
    program: usize,
    code: Range<usize>,
    frames: Vec<u64>,
}

unsafe extern "C" fn look_at(frame: *mut c_void, visit: *mut c_void) -> c_int {
    // SAFETY: the unwinder's frame, and the argument that `frames` gave.
    let (address, visit) = unsafe { (_Unwind_GetIP(frame), &mut *visit.cast::<Visit>()) };
    // A return address is that of the next instruction, which may be another line's.
    if let Some(address) = address.checked_sub(1).filter(|address| visit.code.contains(address)) {
        visit.frames.push((address - visit.program) as u64);
    }
    if visit.frames.len() < MAX_FRAMES { GO_ON } else { ENOUGH }
}
