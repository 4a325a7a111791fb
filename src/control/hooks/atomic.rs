//! Atomic operations, by way of cpp/harness/points.h.

use std::ffi::{c_char, c_int, c_uint, c_void};

use crate::control::active::active;
use crate::point::Point;
use crate::schedule::Injection;

/// Called before each atomic operation; returns the address to operate on.
///
/// Size and order are not needed to decide who runs next; they are there for strategies that choose which value a
/// load returns.
#[unsafe(no_mangle)]
extern "C" fn threadbare_point(
    address: *mut c_void,
    operation: c_uint,
    _size: c_uint,
    _order: c_int,
    position: *const c_char,
) -> *mut c_void {
    if let Some(active) = active() {
        active.pass_at(Point::of_atomic(operation), address as usize, position as usize);
    }
    address
}

/// Whether the weak compare-exchange whose point the calling thread has just passed fails, whatever is there.
#[unsafe(no_mangle)]
extern "C" fn threadbare_weak_fails() -> c_int {
    active().is_some_and(|active| active.inject(Injection::WeakFailure)).into()
}
