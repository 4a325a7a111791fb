//! Atomic operations, by way of cpp/harness/points.h.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::hint::black_box;

use crate::control::active::{Active, active};
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
    let Some(active) = active() else { return address };
    let point = Point::of_atomic(operation);
    if active.count(point) { pause(address, active, point, position) } else { address }
}

/// The rest of such a point. It gives the address, of which the compiler must not know that it is the one that it was
/// given: so calling it is a jump, nothing need be saved for it, and there is one return after a switch.
#[inline(never)]
extern "C" fn pause(address: *mut c_void, active: &Active, point: Point, position: *const c_char) -> *mut c_void {
    active.pause_here(point, address as usize, position as usize);
    black_box(address)
}

/// Whether the weak compare-exchange whose point the calling thread has just passed fails, whatever is there.
#[unsafe(no_mangle)]
extern "C" fn threadbare_weak_fails() -> c_int {
    active().is_some_and(|active| active.inject(Injection::WeakFailure)).into()
}
