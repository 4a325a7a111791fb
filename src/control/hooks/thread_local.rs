//! `thread_local` of the target: which copy of a variable an access finds, and when it is destroyed.
//!
//! Destructors run at the end of the virtual thread, while it is still under control. Two variables of libstdc++ itself,
//! set by `std::call_once`, are not emulated in the library and get special treatment.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};

use crate::control::active::{Active, active};
use crate::control::order;
use crate::control::real::real;
use crate::control::state::thread_locals::{Destructor, EmutlsControl, ThreadLocals};
use crate::control::virtual_thread::VirtualThread;

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

/// The two variables of `std::call_once` as a fiber has set them for one call of `pthread_once`.
///
/// Instrumented code sets the fiber's own copies, prebuilt code those of libstdc++, which other fibers set too before this one
/// goes on. Either may read what the other has set: the linker keeps one of equal functions.
pub(super) struct OnceVariables<'a> {
    thread: &'a VirtualThread,
    set: Values,
    is_prebuilt: bool,
    /// What the thread held before this call.
    before: Values,
    handed_over: Values,
}

type Values = [*mut c_void; 2];

impl<'a> OnceVariables<'a> {
    /// Those of a call that begins. With real threads there is nothing to take: each has both.
    pub fn take(active: &'a Active) -> Option<Self> {
        if !active.engine.has_fibers() {
            return None;
        }
        let thread = active.engine.thread(active.current());
        let before = [0, 1].map(|index| thread.once[index].get());
        let handed_over = thread.once_handed_over.get();
        // What was handed over for a call around this one says nothing of this one.
        let is_prebuilt = before == handed_over || before[0].is_null();
        // SAFETY: the calling OS thread's variable, which is a pointer.
        let of_library = |index| unsafe { *threadbare_own_once_variable(index) };
        let set = if is_prebuilt { [0, 1].map(of_library) } else { before };
        Some(Self { thread, set, is_prebuilt, before, handed_over })
    }

    /// Puts them wherever the routine reads them. Called just before it does.
    pub fn hand_over(&self) {
        for (index, value) in (0..).zip(self.set) {
            self.thread.once[index as usize].set(value);
            // SAFETY: the calling OS thread's variable, which this alone writes while the thread runs.
            unsafe { *threadbare_own_once_variable(index) = value };
        }
        self.thread.once_handed_over.set(self.set);
    }
}

impl Drop for OnceVariables<'_> {
    fn drop(&mut self) {
        self.thread.once_handed_over.set(self.handed_over);
        if self.is_prebuilt {
            self.thread.once.iter().zip(self.before).for_each(|(copy, value)| copy.set(value));
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
    let Some(active) = active() else {
        // SAFETY: the caller's promise.
        return UNCONTROLLED.with_borrow_mut(|locals| unsafe { locals.address(control) }.0);
    };
    // SAFETY: the running thread's own; nothing switches while the borrow lasts.
    let (copy, made) = unsafe { (*active.locals()).address(control) };
    if let Some(size) = made {
        order::allocated(copy as usize, size);
    }
    copy
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
