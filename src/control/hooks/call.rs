//! Calls on objects that live in the program's memory: locks and the like. The hooks touch the object as the real function
//! would, so that one whose memory is gone is seen, and not taken for whatever its bytes now say.

use crate::control::active::Active;
use crate::control::order;
use crate::control::sanitizer::Unwatched;

/// A call of one of these functions.
#[derive(Clone, Copy)]
pub(super) struct Call {
    /// The function's name.
    pub primitive: &'static str,
    /// Where it was called from, for the stacks of reports.
    pub caller: usize,
}

impl Call {
    /// The function uses the object. Done anew whenever others ran in between, and before the sanitizer is told
    /// that the object orders the thread with others: until then the object must be there.
    #[inline(always)]
    pub fn uses<T>(self, active: &Active, object: *const T) {
        order::uses(object as usize, size_of::<T>(), self.caller);
        self.expect_alive(active, object as usize);
    }

    /// The function initialises or destroys the object. The real one is called while the result lives: TSan's own would
    /// tell of each race once more, from a place that is not the program's.
    #[must_use]
    pub fn begins_or_ends<T>(self, active: &Active, object: *const T) -> Unwatched {
        order::begins_or_ends(object as usize, size_of::<T>(), self.caller);
        self.expect_alive(active, object as usize);
        Unwatched::begin()
    }

    /// The memory of the object is still there, as far as the controller knows.
    #[inline(always)]
    pub fn expect_alive(self, active: &Active, object: usize) {
        if let Some(how) = active.is_gone(object) {
            active.dangling(self.primitive, how);
        }
    }

    /// The object was destroyed, or never began.
    #[cold]
    pub fn refuse_dead(self, active: &Active) -> ! {
        active.misuse(self.primitive, "on an object that was destroyed or never initialised")
    }
}

/// The register of the argument after these.
#[cfg(target_arch = "x86_64")]
macro_rules! after {
    ($a:ident) => {
        "rsi"
    };
    ($a:ident $b:ident) => {
        "rdx"
    };
    ($a:ident $b:ident $c:ident) => {
        "rcx"
    };
    ($a:ident $b:ident $c:ident $d:ident) => {
        "r8"
    };
    ($a:ident $b:ident $c:ident $d:ident $e:ident) => {
        "r9"
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! after {
    ($a:ident) => {
        "x1"
    };
    ($a:ident $b:ident) => {
        "x2"
    };
    ($a:ident $b:ident $c:ident) => {
        "x3"
    };
    ($a:ident $b:ident $c:ident $d:ident) => {
        "x4"
    };
    ($a:ident $b:ident $c:ident $d:ident $e:ident) => {
        "x5"
    };
}
pub(super) use after;

/// Hooks as those of `stand_in`, which are told of the call. Objects come as references to cells, which are read only once
/// `Call` has seen that they are still there:
/// `fn name(arguments) -> result |active, call| { what happens under control }`.
macro_rules! stand_in_for_calls {
    ($($(#[doc = $doc:literal])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?
        |$active:ident, $call:ident| $body:block)*) => {$(
        #[doc = concat!("Stands in for `", stringify!($name), "`; the same guarantees.")]
        $(#[doc = $doc])*
        ///
        /// # Safety
        /// That of the function.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C-unwind" fn $name($($argument: $type),*) $(-> $result)? {
            unsafe extern "C-unwind" fn called($($argument: $type,)* caller: usize) $(-> $result)? {
                let Some($active) = $crate::control::active::active() else {
                    // SAFETY: passed on unchanged.
                    return unsafe {
                        $crate::control::real::real!($name: fn($($type),*) $(-> $result)?)($($argument),*)
                    };
                };
                let $call = $crate::control::hooks::call::Call { primitive: stringify!($name), caller };
                $body
            }
            #[cfg(target_arch = "x86_64")]
            std::arch::naked_asm!(
                concat!("mov ", $crate::control::hooks::call::after!($($argument)*), ", [rsp]"),
                "jmp {called}",
                called = sym called,
            );
            #[cfg(target_arch = "aarch64")]
            std::arch::naked_asm!(
                concat!("mov ", $crate::control::hooks::call::after!($($argument)*), ", x30"),
                "b {called}",
                called = sym called,
            );
        }
    )*};
}
pub(super) use stand_in_for_calls;
