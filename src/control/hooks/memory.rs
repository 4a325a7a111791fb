//! Plain memory accesses of a program under check, by way of cpp/control/memory.c.

use std::ffi::{c_uint, c_void};

use crate::control::active::active;
use crate::control::alone::Look;
use crate::control::controller::Controller;
use crate::model::op::{Op, OpKind};

/// Called before each plain access but those of a phase with one thread, of which it is called for one now and then. A
/// thread's own stack is no scheduling point: others rarely see it, and without optimisation most accesses go there. The
/// size is 0 where more is accessed than that.
#[unsafe(no_mangle)]
extern "C" fn threadbare_access(address: *const c_void, is_write: c_uint, place: *const c_void, size: c_uint) {
    if let Some(active) = active()
        && !active.is_own(address as usize)
    {
        let kind = if is_write == 0 { OpKind::PlainLoad } else { OpKind::PlainStore };
        match active.ask(Controller::look_at_access) {
            Look::Point if active.count(kind) => {
                active.pause_here(Op { kind, waits: false, size, object: address as usize, place: place as usize });
            }
            Look::Point | Look::Beat => {}
            Look::Log => active.log(kind, (address as usize, size as usize)),
            Look::Endless => active.stop(),
        }
    }
}
