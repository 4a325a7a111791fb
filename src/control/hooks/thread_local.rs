//! `thread_local` of the target: which copy of a variable an access finds, and when it is destroyed.
//!
//! Destructors run at the end of the virtual thread, while it is still under control. Two variables of libstdc++ itself,
//! set by `std::call_once`, are not emulated in the library and get special treatment.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};

use crate::control::active::active;
use crate::control::real::real;
use crate::control::state::thread_locals::{Destructor, EmutlsControl, ThreadLocals};

thread_local! {
    /// Copies of code that no controller runs: one set per OS thread.
    static UNCONTROLLED: RefCell<ThreadLocals> = const { RefCell::new(ThreadLocals::new()) };
}

unsafe extern "C" {
    /// cpp/control/real.c: which of libstdc++'s two variables `control` names (0 or 1), else -1.
    fn threadbare_once_variable(control: *const c_void) -> c_int;
    /// cpp/control/real.c: where libstdc++ keeps its own copy of one of them.
    fn threadbare_own_once_variable(index: c_int) -> *mut *mut c_void;
}

/// Hands the two variables of `std::call_once`, which code on a fiber has set in its own copies, over to
/// libstdc++, which reads its own. Called just before it does.
pub(super) fn hand_over_once_variables() {
    if let Some(active) = active().filter(|active| active.engine.has_fibers()) {
        let copies = &active.engine.thread(active.current()).once;
        for (index, copy) in (0..).zip(copies) {
            // SAFETY: the calling OS thread's variable, which is a pointer.
            unsafe { *threadbare_own_once_variable(index) = copy.get() };
        }
    }
}

/// Stands in for libgcc's and compiler-rt's `__emutls_get_address`: the address of the calling virtual
/// thread's copy of a variable.
///
/// # Safety
/// `control` is one that the compiler made.
#[unsafe(no_mangle)]
unsafe extern "C" fn __emutls_get_address(control: *mut EmutlsControl) -> *mut c_void {
    // SAFETY: only compares addresses.
    let once = unsafe { threadbare_once_variable(control.cast()) };
    if once >= 0 {
        return match active().filter(|active| active.engine.has_fibers()) {
            Some(active) => active.engine.thread(active.current()).once[once as usize].as_ptr().cast(),
            // SAFETY: has no preconditions.
            None => unsafe { threadbare_own_once_variable(once) }.cast(),
        };
    }
    match active() {
        // SAFETY: the running thread's own; nothing switches while the borrow lasts.
        Some(active) => unsafe { (*active.locals()).address(control) },
        // SAFETY: the caller's promise.
        None => UNCONTROLLED.with_borrow_mut(|locals| unsafe { locals.address(control) }),
    }
}

/// Stands in for libstdc++'s `__cxa_thread_atexit`: runs `destructor(object)` when the calling virtual
/// thread ends.
///
/// # Safety
/// As the C++ ABI asks: `destructor` can be called with `object`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __cxa_thread_atexit(destructor: Destructor, object: *mut c_void, library: *mut c_void) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe {
            real!(__cxa_thread_atexit: fn(Destructor, *mut c_void, *mut c_void) -> c_int)(destructor, object, library)
        };
    };
    let locals = active.locals();
    // SAFETY: the running thread's own; nothing switches while the borrow lasts.
    unsafe { (*locals).register(destructor, object) };
    0
}
