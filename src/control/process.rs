//! What threadbare asks of the system for its own processes.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The calling process is killed when its parent dies, however that dies.
pub fn die_with_parent() {
    // SAFETY: sets an attribute of the calling process.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Ends the process at once: no destructors, no exit handlers. For a worker whose execution was stopped
/// midway, with threads and frames that can never be ended in order.
pub fn end_now(code: i32) -> ! {
    // SAFETY: does not return.
    unsafe { libc::_exit(code) }
}

/// Ends the process by a signal, as if it came from outside.
pub fn die_of(signal: i32) -> ! {
    // SAFETY: the default action of a signal that can end a process; `_exit` does not return.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
        libc::_exit(128 + signal)
    }
}

/// Empties what standard error is written to, if that is a file that was opened to append, and has grown large. A
/// subject that prints in each of a million executions would fill the disk.
pub fn shorten_stderr() {
    const LARGE: libc::off_t = 1 << 20;
    // SAFETY: `stat` may be all zeros, and the calls only use the descriptor.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        let is_file = |stat: &libc::stat| stat.st_mode & libc::S_IFMT == libc::S_IFREG;
        if libc::fstat(2, &raw mut stat) == 0 && is_file(&stat) && stat.st_size > LARGE {
            libc::ftruncate(2, 0);
        }
    }
}

/// Makes libstdc++ count `shared_ptr` owners atomically although the process has one OS thread: without
/// atomic operations there would be no points, and TSan would report races between fibers.
pub(super) fn never_single_threaded() {
    unsafe extern "C" {
        static mut __libc_single_threaded: std::ffi::c_char;
    }
    // SAFETY: glibc lets programs write it, and nobody else does at this time.
    unsafe { __libc_single_threaded = 0 };
}

/// Bytes that are free where this directory lies; `None` if the system does not say.
#[must_use]
pub fn free_space(directory: &Path) -> Option<u64> {
    let path = CString::new(directory.as_os_str().as_bytes()).ok()?;
    let mut stat = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: a C string, and room for what the call writes if it succeeds.
    let stat = unsafe { (libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) == 0).then(|| stat.assume_init())? };
    Some(stat.f_bavail * stat.f_frsize)
}
