//! Plain memory accesses of a program under check, by way of cpp/control/memory.c.

use std::ffi::{c_uint, c_void};

use crate::control::active::active;
use crate::model::op::OpKind;

/// Called before each plain access. A thread's own stack is no scheduling point: others rarely see it, and without
/// optimisation most accesses go there.
#[unsafe(no_mangle)]
extern "C" fn threadbare_access(address: *const c_void, is_write: c_uint, place: *const c_void, size: usize) {
    if let Some(active) = active()
        && !active.is_own(address as usize)
    {
        let kind = if is_write == 0 { OpKind::PlainLoad } else { OpKind::PlainStore };
        if active.count(kind) {
            active.pause_here(kind, (address as usize, size), place as usize);
        }
    }
}
