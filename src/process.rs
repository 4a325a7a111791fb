//! What threadbare asks of the system for its own processes.

mod capture;
mod written;

pub use capture::Capture;
pub use written::{Printed, Streams};

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::model::exit;

/// The calling process is killed when its parent dies, however that dies; and it is called what it is, not after the
/// loader that started it.
pub fn become_worker() {
    // SAFETY: sets attributes of the calling process; the name is a C string.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::prctl(libc::PR_SET_NAME, c"threadbare".as_ptr());
    }
}

/// Ends the process at once: no destructors, no exit handlers. For a worker whose execution was stopped
/// midway, with threads and frames that can never be ended in order.
pub fn end_now(code: i32) -> ! {
    // SAFETY: does not return.
    unsafe { libc::_exit(code) }
}

/// From now on the process ends with [`exit::FROM_OUTSIDE`] when another one sends it a signal that would end it. What it
/// brings upon itself ends it as before.
pub fn watch_for_outsiders() {
    unsafe extern "C" {
        /// cpp/control/outside.c
        fn threadbare_watch_for_outsiders(exit_code: c_int);
    }
    // SAFETY: its handlers only leave, or put back what was there before them.
    unsafe { threadbare_watch_for_outsiders(exit::FROM_OUTSIDE.into()) }
}

/// A fault ends the process from now on, also where what it executes has signals of its own.
pub fn die_of_faults() {
    unsafe extern "C" {
        /// cpp/control/outside.c
        fn threadbare_die_of_faults();
    }
    // SAFETY: puts default actions in the place of handlers.
    unsafe { threadbare_die_of_faults() }
}

/// The limit of the process's address space in bytes, if there is one.
#[must_use]
pub fn address_space_limit() -> Option<u64> {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: there is room for what the call writes if it succeeds.
    let limit = unsafe { (libc::getrlimit(libc::RLIMIT_AS, limit.as_mut_ptr()) == 0).then(|| limit.assume_init())? };
    (limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

/// A fault says from now on where in the target it happened, which was loaded from that path and lies there. For once in a
/// process.
pub fn tell_faults_of(path: &Path, place: &Range<usize>) {
    unsafe extern "C" {
        /// cpp/control/outside.c
        fn threadbare_tell_faults_of(path: *const c_char, begin: usize, end: usize);
    }
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return };
    // SAFETY: the path is a C string that is never freed.
    unsafe { threadbare_tell_faults_of(path.into_raw(), place.start, place.end) }
}

/// Where a shared object lies that is loaded from that path: all of it, and its code.
#[must_use]
pub fn ranges_of(object: &Path) -> Option<(Range<usize>, Range<usize>)> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let name = object.to_str()?;
    let (mut whole, mut code) = (None, None);
    for line in maps.lines().filter(|line| line.ends_with(name)) {
        let (addresses, rest) = line.split_once(' ')?;
        let (begin, end) = addresses.split_once('-')?;
        let range = usize::from_str_radix(begin, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
        let with = |known: &Option<Range<usize>>| known.as_ref().map_or(range.start, |known| known.start)..range.end;
        whole = Some(with(&whole));
        if rest.as_bytes().get(2) == Some(&b'x') {
            code = Some(with(&code));
        }
    }
    Some((whole?, code?))
}

/// Columns of the terminal that standard output is, if it is one that tells.
#[must_use]
pub fn terminal_width() -> Option<usize> {
    let mut size = MaybeUninit::<libc::winsize>::uninit();
    // SAFETY: there is room for what the call writes if it succeeds.
    let size = unsafe { (libc::ioctl(1, libc::TIOCGWINSZ, size.as_mut_ptr()) == 0).then(|| size.assume_init())? };
    (size.ws_col > 0).then_some(size.ws_col.into())
}

/// The limit of a core file in bytes, if there is one.
#[must_use]
pub fn core_limit() -> Option<u64> {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: there is room for what the call writes if it succeeds.
    let limit = unsafe { (libc::getrlimit(libc::RLIMIT_CORE, limit.as_mut_ptr()) == 0).then(|| limit.assume_init())? };
    (limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
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

/// Empties what standard output and standard error are written to, if that is a file that was opened to append, and has grown
/// large. A target that prints in each of a million executions would fill the disk.
pub fn shorten_output() {
    const LARGE: libc::off_t = 1 << 20;
    // SAFETY: `stat` may be all zeros, and the calls only use the descriptor.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        let is_file = |stat: &libc::stat| stat.st_mode & libc::S_IFMT == libc::S_IFREG;
        for descriptor in [1, 2] {
            if libc::fstat(descriptor, &raw mut stat) == 0 && is_file(&stat) && stat.st_size > LARGE {
                libc::ftruncate(descriptor, 0);
            }
        }
    }
}

/// Makes libstdc++ count `shared_ptr` owners atomically although the process has one OS thread: without
/// atomic operations there would be no scheduling points, and TSan would report races between fibers.
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

/// The user that the calling process acts as.
#[must_use]
pub fn user() -> u32 {
    // SAFETY: has no preconditions.
    unsafe { libc::geteuid() }
}

/// Has the process that the command starts killed when this one dies, however that dies.
pub fn end_with_us(command: &mut Command) {
    // SAFETY: between fork and exec, `prctl` is a plain system call.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
}

/// Ctrl-C is for somebody else in the terminal from now on.
pub fn ignore_interrupts() {
    // SAFETY: installs no handler.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
}

/// Kills a process group of ours: a compiler with what it started.
pub fn kill_group(leader: u32) {
    if let Ok(leader) = libc::pid_t::try_from(leader) {
        // SAFETY: only sends a signal.
        unsafe { libc::kill(-leader, libc::SIGKILL) };
    }
}

/// The loader that started this process, or would have.
#[must_use]
pub fn loader() -> PathBuf {
    unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _size: usize, found: *mut c_void) -> c_int {
        // SAFETY: the loader's promises about `info`; `found` is what `dl_iterate_phdr` was given.
        unsafe {
            let headers = std::slice::from_raw_parts((*info).dlpi_phdr, usize::from((*info).dlpi_phnum));
            if let Some(header) = headers.iter().find(|header| header.p_type == libc::PT_INTERP) {
                let name = ((*info).dlpi_addr + header.p_vaddr) as *const c_char;
                *found.cast::<Option<PathBuf>>() = Some(OsStr::from_bytes(CStr::from_ptr(name).to_bytes()).into());
            }
        }
        1 // The executable comes first, and no other is asked.
    }
    let mut found: Option<PathBuf> = None;
    // SAFETY: `look` does as the iteration asks, and `found` outlives it.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut found).cast()) };
    found.unwrap_or_else(|| PathBuf::from("/lib64/ld-linux-x86-64.so.2"))
}

/// A path of the running executable that its children can open, even if another one lies in its place by now.
#[must_use]
pub fn executable() -> PathBuf {
    unsafe extern "C" {
        /// cpp/control/loader.c
        fn threadbare_is_started_by_loader() -> c_int;
    }
    // SAFETY: has no preconditions.
    let by_loader = unsafe { threadbare_is_started_by_loader() } != 0;
    match std::env::args_os().next() {
        // What is started by the loader has the path that the loader was given for a name.
        Some(name) if by_loader => name.into(),
        _ => format!("/proc/{}/exe", std::process::id()).into(),
    }
}

/// A program with libraries loaded before it: the runtime of a sanitizer.
///
/// It is started by a copy of the loader, which places it beside the libraries: a call from a target to the controller is
/// then as quick as one within a library, where processors predict jumps over more than 4 GiB badly. The sanitizers take
/// the copy's name for that of the program, so it must not be the loader's, of which they know one. Nothing is placed at random,
/// if the kernel lets us, since ThreadSanitizer needs the addresses that it expects. What the environment would load is
/// not loaded: results do not depend on it.
#[must_use]
pub fn preloaded(loader: &Path, program: &Path, libraries: &[PathBuf]) -> Command {
    let mut command = Command::new(loader);
    // SAFETY: between fork and exec, `personality` is a plain system call.
    unsafe {
        command.pre_exec(|| {
            let current = libc::personality(0xffff_ffff);
            libc::personality(libc::c_ulong::from(current as u32) | libc::ADDR_NO_RANDOMIZE as libc::c_ulong);
            Ok(())
        });
    }
    command.env_remove("LD_PRELOAD");
    if !libraries.is_empty() {
        let libraries: Vec<&OsStr> = libraries.iter().map(|library| library.as_os_str()).collect();
        command.arg("--preload").arg(libraries.join(OsStr::new(":")));
    }
    command.arg(program);
    command
}
