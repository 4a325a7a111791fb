//! Calls that name a file by its path.

use std::ffi::{c_char, c_int, c_long, c_uint, c_void};

use super::{Call, Fate, calling, calls, made, point, set_errno};
use crate::control::hooks::kernel;
use crate::control::real::real;

type Path = *const c_char;

/// Hooks for what removes a name, which may be a socket's.
macro_rules! removes {
    ($($name:ident)*) => {$(
        #[doc = concat!("Stands in for `", stringify!($name), "`; a point.")]
        ///
        /// # Safety
        /// That of the function.
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name(path: Path) -> c_int {
            if let Some(active) = calling()
                // SAFETY: the caller's promise.
                && unsafe { kernel::unlink(active, path) }
            {
                return 0;
            }
            calls! { @body calling(), None, Call::Remove, $name, c_int, path: Path }
        }
    )*};
}

removes! { unlink remove }

calls! {
    Call::Name => rename(old: Path, new: Path) -> c_int;
    Call::Name => renameat(old_at: c_int, old: Path, new_at: c_int, new: Path) -> c_int;
    Call::Name => renameat2(old_at: c_int, old: Path, new_at: c_int, new: Path, flags: c_uint) -> c_int;
    Call::Name => link(old: Path, new: Path) -> c_int;
    Call::Name => linkat(old_at: c_int, old: Path, new_at: c_int, new: Path, flags: c_int) -> c_int;
    Call::Name => symlink(target: Path, path: Path) -> c_int;
    Call::Name => symlinkat(target: Path, at: c_int, path: Path) -> c_int;
    Call::Name => mkdir(path: Path, mode: libc::mode_t) -> c_int;
    Call::Name => mkdirat(at: c_int, path: Path, mode: libc::mode_t) -> c_int;
    Call::Remove => unlinkat(at: c_int, path: Path, flags: c_int) -> c_int;
    Call::Remove => rmdir(path: Path) -> c_int;
    Call::Truncate => truncate(path: Path, length: c_long) -> c_int;
    Call::Truncate => truncate64(path: Path, length: c_long) -> c_int;
    Call::Look => stat(path: Path, found: *mut c_void) -> c_int;
    Call::Look => stat64(path: Path, found: *mut c_void) -> c_int;
    Call::Look => lstat(path: Path, found: *mut c_void) -> c_int;
    Call::Look => lstat64(path: Path, found: *mut c_void) -> c_int;
    Call::Look => fstatat(at: c_int, path: Path, found: *mut c_void, flags: c_int) -> c_int;
    Call::Look => fstatat64(at: c_int, path: Path, found: *mut c_void, flags: c_int) -> c_int;
    Call::Look => statx(at: c_int, path: Path, flags: c_int, mask: c_uint, found: *mut c_void) -> c_int;
    Call::Look => access(path: Path, mode: c_int) -> c_int;
    Call::Look => faccessat(at: c_int, path: Path, mode: c_int, flags: c_int) -> c_int;
}
