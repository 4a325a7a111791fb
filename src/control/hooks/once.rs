//! Initialisation once: `pthread_once` (under `std::call_once`) and the guards of static variables.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};

use super::call::{Call, stand_in_for_calls};
use super::thread_local::OnceVariables;
use crate::control::active::{Active, active};
use crate::control::real::real;
use crate::control::{order, sanitizer};
use crate::model::op::OpKind;
use crate::model::settings::Sanitizer;
use crate::strategy::Use;

/// Values of a `pthread_once_t`: those of whoever calls are passed through to, since a control word may
/// be used inside and outside of controlled executions (TSan's interceptor, else glibc).
const FRESH: i32 = 0;

fn running() -> i32 {
    if sanitizer::loaded() == Sanitizer::Thread { 1 << 16 } else { 1 }
}

fn done() -> i32 {
    if sanitizer::loaded() == Sanitizer::Thread { 1 } else { 2 }
}

/// Puts the control word in order when the routine returns or throws.
struct Attempt<'a> {
    active: &'a Active,
    control: &'a AtomicI32,
    call: Call,
    outcome: i32,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.call.uses(self.active, self.control);
        self.control.store(self.outcome, Ordering::SeqCst);
        let address = std::ptr::from_ref(self.control) as usize;
        order::release(address);
        self.active.ask(|controller| controller.wake_all(address));
    }
}

pub(super) type Routine = unsafe extern "C-unwind" fn();

/// Calls `routine` unless a call with this control word has returned. A routine that throws leaves it as if never
/// called.
///
/// # Safety
/// `routine` can be called.
pub(super) unsafe fn call(active: &Active, control: &AtomicI32, routine: Routine, call: Call) {
    let variables = OnceVariables::take(active);
    call.uses(active, control);
    let address = std::ptr::from_ref(control) as usize;
    let done = done();
    if control.load(Ordering::SeqCst) == done {
        // No scheduling point: libgcc asks once for every landing pad that an exception passes, and how many there
        // are differs from one sanitizer to the next.
        order::acquire(address);
        active.report(Use::Looked(address));
        return;
    }
    active.pass(OpKind::Once, address);
    loop {
        call.uses(active, control);
        match control.load(Ordering::SeqCst) {
            state if state == done => {
                order::acquire(address);
                return;
            }
            FRESH => {
                control.store(running(), Ordering::SeqCst);
                // A call that threw before this one happens before it.
                order::acquire(address);
                if let Some(variables) = &variables {
                    variables.hand_over();
                }
                let mut attempt = Attempt { active, control, call, outcome: FRESH };
                // SAFETY: the caller's promise.
                unsafe { routine() };
                attempt.outcome = done;
                return;
            }
            _ => {
                active.block(address, call.primitive, None);
            }
        }
    }
}

stand_in_for_calls! {
    fn pthread_once(control: &AtomicI32, routine: Routine) -> c_int |active, call| {
        // SAFETY: the caller's promise.
        unsafe { self::call(active, control, routine, call) };
        0
    }
}

/// The guard of a static variable (Itanium C++ ABI): byte 0 says that it is initialised, and byte 1, ours
/// as it is libstdc++'s, that a thread is at it.
#[repr(C)]
struct Guard {
    initialised: AtomicU8,
    in_use: AtomicU8,
}

/// Stands in for `__cxa_guard_acquire`: 1 if the caller must initialise the variable, 0 if it is.
///
/// # Safety
/// That of the C++ ABI. The same holds for the others below.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __cxa_guard_acquire(guard: *mut c_void) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(__cxa_guard_acquire: fn(*mut c_void) -> c_int)(guard) };
    };
    active.pass(OpKind::StaticGuard, guard as usize);
    loop {
        // SAFETY: the caller's promise.
        let state = unsafe { &*guard.cast::<Guard>() };
        if state.initialised.load(Ordering::SeqCst) != 0 {
            order::acquire(guard as usize);
            return 0;
        }
        if state.in_use.swap(1, Ordering::SeqCst) == 0 {
            // An attempt that threw before this one happens before it.
            order::acquire(guard as usize);
            return 1;
        }
        active.block(guard as usize, "__cxa_guard_acquire", None);
    }
}

fn leave(active: &Active, guard: *mut c_void, initialised: u8) {
    // SAFETY: the C++ ABI's promise of a live guard.
    let state = unsafe { &*guard.cast::<Guard>() };
    order::release(guard as usize);
    // The compiler's own look at the guard is a load of this byte that acquires.
    order::release_store(guard as usize, size_of::<AtomicU8>());
    state.initialised.store(initialised, Ordering::SeqCst);
    state.in_use.store(0, Ordering::SeqCst);
    active.ask(|controller| controller.wake_all(guard as usize));
}

/// Stands in for `__cxa_guard_release`: the variable is initialised.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __cxa_guard_release(guard: *mut c_void) {
    match active() {
        Some(active) => leave(active, guard, 1),
        // SAFETY: passed on unchanged.
        None => unsafe { real!(__cxa_guard_release: fn(*mut c_void))(guard) },
    }
}

/// Stands in for `__cxa_guard_abort`: the initialisation threw.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __cxa_guard_abort(guard: *mut c_void) {
    match active() {
        Some(active) => leave(active, guard, 0),
        // SAFETY: passed on unchanged.
        None => unsafe { real!(__cxa_guard_abort: fn(*mut c_void))(guard) },
    }
}
