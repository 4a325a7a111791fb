//! The global `operator new`: allocations of the target are counted, and one of them can be made to fail.
//!
//! The forms for arrays and those that do not throw are built upon the others by libstdc++, where a failure
//! of the inner one is counted and passed on; a sanitizer's runtime has each on its own.

use std::arch::naked_asm;
use std::ffi::{c_int, c_void};

use crate::control::active::{Active, active};
use crate::control::real::real;
use crate::control::{order, sanitizer};
use crate::model::settings::Sanitizer;

unsafe extern "C" {
    /// cpp/control/real.c: whether the runtime behind the hooks is a sanitizer's. Written before `main` alone.
    static threadbare_operators_are_apart: c_int;
}

unsafe extern "C-unwind" {
    /// libstdc++'s `std::__throw_bad_alloc`.
    fn _ZSt17__throw_bad_allocv() -> !;
}

/// Counts an allocation of the target; whether it is the one to fail.
#[inline]
fn fails() -> bool {
    active().is_some_and(|active| active.count_allocation())
}

#[inline]
fn fails_apart() -> bool {
    are_apart() && fails()
}

#[cold]
fn throw() -> *mut c_void {
    // SAFETY: throws a C++ exception, which may pass our frames ("C-unwind").
    unsafe { _ZSt17__throw_bad_allocv() }
}

/// Has AddressSanitizer tell of each block that anyone is given, so that nobody is taken to have used its memory before.
pub(in crate::control) fn watch_allocations() {
    extern "C" fn allocated(block: *const c_void, size: usize) {
        if order::is_on() && active().is_some() && !sanitizer::is_unwatched() {
            order::allocated(block as usize, size);
        }
    }
    extern "C" fn freed(_block: *const c_void) {}
    sanitizer::watch_allocations(allocated, freed);
}

/// The execution that the caller is part of, if feedback is counted in it.
fn observed() -> Option<&'static Active> {
    active().filter(|active| active.ask(|controller| controller.is_observed()))
}

#[inline]
fn are_apart() -> bool {
    // SAFETY: nobody writes it any more.
    unsafe { threadbare_operators_are_apart != 0 }
}

/// Whether TSan must be told who allocates: it is loaded, and has no forms of its own.
#[inline]
fn needs_caller() -> bool {
    !are_apart() && sanitizer::loaded() == Sanitizer::Thread
}

/// Hooks for the forms of `operator new`; the register is that of the argument after the last one, in which each tells
/// where it was called from. The real call comes last and takes the same arguments, so it is a jump: sanitizers see the
/// target as its caller. Unless feedback is counted, which must know the block, or TSan must be told.
macro_rules! operators {
    ($($fails:ident, $failure:expr => $name:ident $after:literal ($size:ident: usize $(, $argument:ident: $type:ty)*);)*) => {$(
        #[doc = concat!("Stands in for the form of `operator new` mangled as `", stringify!($name), "`.")]
        ///
        /// # Safety
        /// That of the operator.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C-unwind" fn $name($size: usize $(, $argument: $type)*) -> *mut c_void {
            unsafe extern "C-unwind" fn allocate($size: usize $(, $argument: $type)*, caller: usize) -> *mut c_void {
                if $fails() {
                    return ($failure)();
                }
                // SAFETY: passed on unchanged.
                let real = || unsafe { real!($name: fn(usize $(, $type)*) -> *mut c_void)($size $(, $argument)*) };
                let observed = observed();
                if observed.is_none() && !needs_caller() && !order::is_on() {
                    return real();
                }
                let block = if needs_caller() { sanitizer::called_from(caller, real) } else { real() };
                if order::is_on() && active().is_some() {
                    order::allocated(block as usize, $size);
                }
                if let Some(active) = observed {
                    active.ask(|controller| controller.allocated(block as usize, $size));
                }
                block
            }
            naked_asm!(concat!("mov ", $after, ", [rsp]"), "jmp {allocate}", allocate = sym allocate);
        }
    )*};
}

type Nothrow = *const c_void;

operators! {
    fails, throw => _Znwm "rsi" (size: usize);
    fails_apart, throw => _Znam "rsi" (size: usize);
    fails, throw => _ZnwmSt11align_val_t "rdx" (size: usize, alignment: usize);
    fails_apart, throw => _ZnamSt11align_val_t "rdx" (size: usize, alignment: usize);
    fails_apart, std::ptr::null_mut => _ZnwmRKSt9nothrow_t "rdx" (size: usize, nothrow: Nothrow);
    fails_apart, std::ptr::null_mut => _ZnamRKSt9nothrow_t "rdx" (size: usize, nothrow: Nothrow);
    fails_apart, std::ptr::null_mut =>
        _ZnwmSt11align_val_tRKSt9nothrow_t "rcx" (size: usize, alignment: usize, nothrow: Nothrow);
    fails_apart, std::ptr::null_mut =>
        _ZnamSt11align_val_tRKSt9nothrow_t "rcx" (size: usize, alignment: usize, nothrow: Nothrow);
}
