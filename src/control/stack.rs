//! Stacks of fibers, and the switch from one to another.
//!
//! Where there is an implementation for the architecture a switch goes from stack to stack (`stack/direct.rs`); elsewhere
//! corosensei's coroutines return to the root, which resumes the next one (`stack/linked.rs`).

#[cfg_attr(target_arch = "x86_64", path = "stack/direct.rs")]
#[cfg_attr(not(target_arch = "x86_64"), path = "stack/linked.rs")]
mod switcher;

use std::ffi::c_void;

pub(super) use switcher::{Stack, Switcher};

/// The first function on a stack.
pub(super) type Entry = unsafe extern "C" fn(*const c_void) -> !;
