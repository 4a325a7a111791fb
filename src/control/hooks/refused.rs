//! Functions that could block, escape control or draw random names, and are not emulated: under control each ends the
//! execution with its name, rather than hang it.

use std::ffi::{CStr, c_char, c_int};

use crate::control::active::active;
use crate::control::real::real;

/// A hook for a function of at most six arguments, all of which are integers or pointers.
macro_rules! refuse {
    ($($name:ident)*) => {$(
        #[doc = concat!("Stands in for `", stringify!($name), "`, refused under control.")]
        ///
        /// # Safety
        /// That of the function. On the targets we support six words are passed the same way as fewer.
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name(a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> usize {
            if let Some(active) = active() {
                active.refuse(stringify!($name));
            }
            // SAFETY: passed on unchanged.
            unsafe { real!($name: fn(usize, usize, usize, usize, usize, usize) -> usize)(a, b, c, d, e, f) }
        }
    )*};
}

refuse! {
    pthread_cancel pthread_sigqueue pthread_getcpuclockid
    inotify_init inotify_init1 sendmmsg recvmmsg close_range closefrom
    mkfifo mkfifoat mq_open semget semop semtimedop msgget msgsnd msgrcv
    flockfile ftrylockfile funlockfile
    telldir seekdir readdir_r readdir64_r
    mkstemp mkstemp64 mkostemp mkostemp64 mkstemps mkstemps64 mkostemps mkostemps64 mkdtemp
    tmpfile tmpfile64 freopen freopen64
    fork _Fork daemon forkpty posix_spawn posix_spawnp system popen wordexp
    execv execve execvp execvpe execveat fexecve ptrace unshare setns pidfd_open
    killpg tgkill sigqueue pidfd_send_signal alarm ualarm setitimer timer_create
    sigset sighold sigrelse sigignore siginterrupt __sigpause sigpause
}

/// Refuses a function whose hook is C, under control.
///
/// # Safety
/// `name` is a literal of cpp/control/exec.c.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn threadbare_refuse(name: *const c_char) {
    if let Some(active) = active() {
        // SAFETY: the caller's promise.
        let name = unsafe { CStr::from_ptr(name) };
        active.refuse(name.to_str().unwrap_or("exec"));
    }
}

/// Stands in for `clone`, refused under control; it takes one argument more.
///
/// # Safety
/// That of the function.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn clone(
    start: usize,
    stack: usize,
    flags: usize,
    argument: usize,
    parent: usize,
    storage: usize,
    child: usize,
) -> c_int {
    if let Some(active) = active() {
        active.refuse("clone");
    }
    // SAFETY: passed on unchanged.
    unsafe {
        real!(clone: fn(usize, usize, usize, usize, usize, usize, usize) -> c_int)(
            start, stack, flags, argument, parent, storage, child,
        )
    }
}

/// Stands in for `vfork`, refused under control. Otherwise it is `fork`: a hook that returns twice on one stack would
/// find its frame overwritten.
///
/// # Safety
/// That of `fork`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn vfork() -> libc::pid_t {
    if let Some(active) = active() {
        active.refuse("vfork");
    }
    // SAFETY: passed on unchanged.
    unsafe { real!(fork: fn() -> libc::pid_t)() }
}
