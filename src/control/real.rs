//! What the hooks stand in front of, for calls that no controller is concerned with.

use std::ffi::{CStr, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

unsafe extern "C" {
    /// cpp/control/real.c: the sanitizer's interceptor of that name, else the next definition.
    fn threadbare_real(name: *const std::ffi::c_char) -> *mut c_void;
}

/// The address behind a hook, found on first use and kept in `cache`.
pub(super) fn find(cache: &AtomicPtr<c_void>, name: &CStr) -> *mut c_void {
    let known = cache.load(Ordering::Acquire);
    if !known.is_null() {
        return known;
    }
    // SAFETY: `name` is a C string; the function aborts with that name rather than return null.
    let found = unsafe { threadbare_real(name.as_ptr()) };
    cache.store(found, Ordering::Release);
    found
}

/// `real!(name: fn(Arguments) -> Result)` is the function that the hook `name` stands in for.
macro_rules! real {
    ($name:ident: fn($($argument:ty),* $(,)?) $(-> $result:ty)?) => {{
        static CACHE: std::sync::atomic::AtomicPtr<std::ffi::c_void> =
            std::sync::atomic::AtomicPtr::new(std::ptr::null_mut());
        const NAME: &std::ffi::CStr = match std::ffi::CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
            Ok(name) => name,
            Err(_) => panic!("a function's name has no NUL"),
        };
        let address = $crate::control::real::find(&CACHE, NAME);
        std::mem::transmute::<*mut std::ffi::c_void, unsafe extern "C-unwind" fn($($argument),*) $(-> $result)?>(address)
    }};
}
pub(super) use real;
