//! Plain memory accesses, by way of cpp/control/memory.c: those of a program under check are scheduling points, and those of a
//! runtime are told to the detector of races alone.

use std::ffi::{c_uint, c_void};

use crate::control::active::{Active, active};
use crate::control::alone::Look;
use crate::control::controller::Controller;
use crate::control::order;
use crate::control::races::Kind;
use crate::control::virtual_thread::is_errno;
use crate::model::op::{Op, OpKind};

/// What the instrumentation says that an access does.
const READS: c_uint = 0;
/// It writes what is there already: a pointer to a virtual table, which each constructor sets.
const WRITES_THE_SAME: c_uint = 2;
/// It may be atomic, so nothing is known of races.
const MAY_BE_ATOMIC: c_uint = 4;

/// Called before each plain access but those of a phase with one thread, of which it is called for one now and then. A
/// thread's own stack is no scheduling point: others rarely see it, and without optimisation most accesses go there. Only
/// a search of all executions is told of them, for it to know what it does not see. The size is 0 where it is not known.
#[unsafe(no_mangle)]
extern "C" fn threadbare_access(address: *const c_void, what: c_uint, place: *const c_void, size: c_uint) {
    let Some(active) = active() else { return };
    let (address, place) = (address as usize, place as usize);
    let (may_be_atomic, what) = (what & MAY_BE_ATOMIC != 0, what & !MAY_BE_ATOMIC);
    if !active.has_image() {
        if !may_be_atomic {
            judge_in_runtime(place, address, size as usize, judged_kind(what));
        }
        return;
    }
    let kind = if what == READS { OpKind::PlainLoad } else { OpKind::PlainStore };
    if what != READS {
        order::forget(address, size as usize);
    }
    if active.is_own(address) {
        access_own(active, address, size, kind);
    } else if is_errno(address) {
        return;
    } else {
        access(active, address, size, kind, place);
    }
    if order::is_on() && !may_be_atomic {
        judge(active, place, address, size as usize, judged_kind(what));
    }
}

#[inline]
fn judged_kind(what: c_uint) -> Kind {
    if matches!(what, READS | WRITES_THE_SAME) { Kind::READ } else { Kind::WRITE }
}

/// As `judge`. Where nobody looks for races a runtime makes no such calls.
#[inline]
fn judge_in_runtime(place: usize, address: usize, size: usize, kind: Kind) {
    if order::is_on() && !is_errno(address) {
        order::access(place, address, size, kind);
    }
}

/// Whoever looks for races is told of an access, which is about to be made: others ran before it, if they did.
#[inline]
fn judge(active: &Active, place: usize, address: usize, size: usize, kind: Kind) {
    if !active.ask(|controller| controller.is_phase_with_one_thread()) {
        order::access(place, address, size, kind);
    }
}

#[inline(always)]
fn access(active: &Active, object: usize, size: u32, kind: OpKind, place: usize) {
    match active.ask(Controller::look_at_access) {
        Look::Point if active.count(kind) => active.pause_here(Op { kind, waits: false, size, object, place }),
        Look::Point | Look::Beat => {}
        Look::Log => active.log(kind, (object, size as usize)),
        Look::Endless => active.stop(),
    }
}

#[inline(always)]
fn access_own(active: &Active, address: usize, size: u32, kind: OpKind) {
    active.ask(|controller| controller.access_own(address, size, kind == OpKind::PlainStore));
}

/// As `threadbare_access`, before so many bytes are copied. It is a scheduling point unless both places are on the thread's
/// own stack: of the target, which stands for both, or else of the source.
#[unsafe(no_mangle)]
extern "C" fn threadbare_copy(target: *const c_void, source: *const c_void, place: *const c_void, bytes: usize) {
    let Some(active) = active() else { return };
    let (target, source, place) = (target as usize, source as usize, place as usize);
    if !active.has_image() {
        judge_in_runtime(place, source, bytes, Kind::READ);
        judge_in_runtime(place, target, bytes, Kind::WRITE);
        return;
    }
    order::forget(target, bytes);
    let size = u32::try_from(bytes).unwrap_or(0);
    let (load, store) = (OpKind::PlainLoad, OpKind::PlainStore);
    match (active.is_own(target), active.is_own(source)) {
        (false, false) => access(active, target, 0, store, place),
        (false, true) => {
            access(active, target, size, store, place);
            access_own(active, source, size, load);
        }
        (true, false) => {
            access(active, source, size, load, place);
            access_own(active, target, size, store);
        }
        (true, true) => {
            access_own(active, source, size, load);
            access_own(active, target, size, store);
        }
    }
    if order::is_on() {
        judge(active, place, source, bytes, Kind::READ);
        judge(active, place, target, bytes, Kind::WRITE);
    }
}
