//! Atomic operations, by way of cpp/harness/points.h.

use std::arch::naked_asm;
use std::ffi::{c_int, c_uint, c_void};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use super::weak::{self, Operation};
use crate::control::active::{Active, active};
use crate::control::{order, sanitizer};
use crate::model::op::{Op, OpKind};
use crate::model::schedule::Injection;
use crate::model::settings::Sanitizer;

/// Called before each atomic operation; returns the address to operate on.
///
/// It adds where it was called from, which tells operations apart that inlining brought to different places. Size, orders
/// and what a compare-exchange expects are not needed to decide who runs next, but to decide which store it is on.
#[unsafe(no_mangle)]
#[unsafe(naked)]
extern "C" fn threadbare_point(
    address: *mut c_void,
    operation: c_uint,
    size: c_uint,
    orders: c_int,
    expected: *const c_void,
) -> *mut c_void {
    #[cfg(target_arch = "x86_64")]
    naked_asm!("mov r9, [rsp]", "jmp {point}", point = sym threadbare_point_at);
    #[cfg(target_arch = "aarch64")]
    naked_asm!("mov x5, x30", "b {point}", point = sym threadbare_point_at);
}

/// Called before a pause, with where it was called from, as above.
#[unsafe(no_mangle)]
#[unsafe(naked)]
extern "C" fn threadbare_pause() {
    #[cfg(target_arch = "x86_64")]
    naked_asm!("mov rdi, [rsp]", "jmp {pauses}", pauses = sym pauses);
    #[cfg(target_arch = "aarch64")]
    naked_asm!("mov x0, x30", "b {pauses}", pauses = sym pauses);
}

extern "C" fn pauses(caller: usize) {
    let Some(active) = active() else { return };
    if active.count(OpKind::Pause) {
        pause(null_mut(), active, OpKind::Pause, caller, 0);
    }
}

/// The same, for cpp/control/memory.c, which knows where the program makes the operation.
#[unsafe(no_mangle)]
extern "C" fn threadbare_point_at(
    address: *mut c_void,
    operation: c_uint,
    size: c_uint,
    orders: c_int,
    expected: *const c_void,
    caller: usize,
) -> *mut c_void {
    let Some(active) = active() else { return address };
    let kind = OpKind::of_atomic(operation);
    if order::is_on() {
        return under_weak_memory(address, active, kind, size, orders, expected, caller);
    }
    if HAS_FENCES.load(Ordering::Relaxed) {
        return ordered_by_fences(address, active, kind, orders, caller, size);
    }
    if active.count(kind) { pause(address, active, kind, caller, size) } else { address }
}

/// As `threadbare_point_at`, where the memory model may leave it a choice which store the operation is on.
#[inline(never)]
fn under_weak_memory(
    address: *mut c_void,
    active: &Active,
    kind: OpKind,
    size: c_uint,
    orders: c_int,
    expected: *const c_void,
    caller: usize,
) -> *mut c_void {
    if active.count(kind) {
        pause(address, active, kind, caller, size);
    }
    let address = address as usize;
    weak::place(active, &Operation { kind, address, size, orders, expected: expected.cast(), caller }) as *mut c_void
}

/// ThreadSanitizer watches a target whose operations it sees as they are, and not by way of cpp/control/memory.c.
static HAS_FENCES: AtomicBool = AtomicBool::new(false);

/// The target has scheduling points of its own at atomic operations, those of points.h: its instrumented ones, by way of
/// cpp/control/memory.c, are no more.
#[unsafe(no_mangle)]
static threadbare_points_are_made: AtomicI32 = AtomicI32::new(0);

/// Looks at a target that is to be loaded from a shared object, or else is linked into the executable.
pub(in crate::control) fn look_at(object: &Path) {
    // A symbol that src/target/steps.rs gives it.
    const HAS_POINTS: &[u8] = b"\0threadbare_has_points\0";
    let bytes = fs::read(object).ok();
    let is_watched = sanitizer::loaded() == Sanitizer::Thread;
    if let Some(bytes) = &bytes {
        let has_points = bytes.windows(HAS_POINTS.len()).any(|window| window == HAS_POINTS);
        threadbare_points_are_made.store(has_points.into(), Ordering::Relaxed);
    }
    if let Some(bytes) = &bytes {
        weak::look_at(bytes);
    }
    order::set_exact(is_watched && bytes.is_some());
    HAS_FENCES.store(is_watched && bytes.is_none(), Ordering::Relaxed);
}

/// As `threadbare_point_at`, and tells the sanitizer what fences make of the operation, which comes next.
#[inline(never)]
fn ordered_by_fences(
    address: *mut c_void,
    active: &Active,
    kind: OpKind,
    order: c_int,
    caller: usize,
    size: c_uint,
) -> *mut c_void {
    if active.count(kind) {
        pause(address, active, kind, caller, size);
    }
    let fences = &active.engine.thread(active.current()).fences;
    let (acquires, releases) = (is_acquire(order), is_release(order));
    let location = address as usize;
    match kind {
        OpKind::Fence => {
            if acquires {
                fences.acquire_fence();
            }
            if releases {
                fences.release_fence();
            }
        }
        OpKind::Load | OpKind::Exchange | OpKind::ReadModifyWrite if acquires => {}
        // One that fails may be relaxed, whatever it is if it succeeds.
        OpKind::Load | OpKind::Exchange | OpKind::ReadModifyWrite | OpKind::CompareExchange => fences.load(location),
        _ => {}
    }
    let stores = matches!(kind, OpKind::Store | OpKind::Exchange | OpKind::ReadModifyWrite | OpKind::CompareExchange);
    if stores && !releases {
        fences.store(location);
    }
    address
}

/// The compiler's memory orders, without its hints of lock elision.
const ORDER: c_int = 0xffff;

fn is_acquire(order: c_int) -> bool {
    matches!(order & ORDER, 1 | 2 | 4 | 5)
}

fn is_release(order: c_int) -> bool {
    matches!(order & ORDER, 3..=5)
}

/// Where the target lies.
static ORIGIN: AtomicUsize = AtomicUsize::new(0);

/// Says where the target lies in this process.
pub(in crate::control) fn set_origin(address: usize) {
    ORIGIN.store(address, Ordering::Relaxed);
}

/// Relative to the target, which lies elsewhere in each process.
pub(super) fn offset_in_target(address: usize) -> usize {
    address.wrapping_sub(ORIGIN.load(Ordering::Relaxed))
}

/// The rest of such a scheduling point. It gives the address, of which the compiler must not know that it is the one
/// that it was given: so calling it is a jump, nothing need be saved for it, and there is one return after a switch.
#[inline(never)]
extern "C" fn pause(address: *mut c_void, active: &Active, kind: OpKind, caller: usize, size: c_uint) -> *mut c_void {
    let place = offset_in_target(caller);
    active.pause_here(Op { kind, waits: false, size, object: address as usize, place });
    black_box(address)
}

/// Whether the weak compare-exchange whose point the calling thread has just passed fails, whatever is there.
#[unsafe(no_mangle)]
extern "C" fn threadbare_weak_fails() -> c_int {
    let fails = |active: &Active| {
        if order::is_on() { weak::take_failure(active) } else { active.inject(Injection::WeakFailure) }
    };
    active().is_some_and(fails).into()
}
