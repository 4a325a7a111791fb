//! `syscall`: what is emulated, what changes nothing that the controller decides, and the rest, which is refused.

use std::ffi::{c_int, c_long, c_void};
use std::sync::atomic::AtomicU32;

use syscalls::Sysno;

use super::call::Call;
use super::futex::futex;
use super::set_errno;
use super::thread::number_of;
use super::{kernel, random};
use crate::control::active::{Active, active};
use crate::control::real::real;
use crate::control::state::kernel::Owner;
use crate::control::state::kernel::pieces::Pieces;
use crate::model::execution::Exit;
use crate::model::op::OpKind;

/// Stands in for `syscall`. Under control, futex waits and wakes, `gettid`, `sched_yield` and `exit_group` are emulated, what
/// is harmless is passed on, and all else is refused by name: it could begin a thread or process, send a signal, block, or
/// tell real time.
///
/// The C function takes a variable number of arguments; on the targets we support, six words are passed
/// the same way, and the callee ignores what its caller did not set.
///
/// # Safety
/// That of `syscall`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    if let Some(active) = active() {
        match number {
            libc::SYS_futex => {
                // SAFETY: the caller's promise; these are the arguments of a futex call.
                let done = unsafe { futex(active, a as *const AtomicU32, b as c_int, c, d as _, f as u32) };
                return done.unwrap_or_else(|error| {
                    set_errno(error);
                    -1
                });
            }
            libc::SYS_gettid => return number_of(active).into(),
            libc::SYS_sched_yield => {
                active.pass(OpKind::Yield, 0);
                return 0;
            }
            libc::SYS_exit_group if active.has_image() => {
                active.pass(OpKind::Exit, 0);
                active.leave_program(Exit::Status(a as c_int & 0xff));
            }
            // SAFETY: the caller's promise; these are the arguments of that call.
            libc::SYS_getrandom => return unsafe { random::by_number(active, a as *mut c_void, b as usize) },
            _ if kernel::owner(active, a as c_int) != Owner::System && takes_descriptor(number) => {
                // SAFETY: the caller's promise; these are the arguments of that call.
                return unsafe { on_descriptor(active, number, a as c_int, b as usize, c as usize) };
            }
            _ => admit(active, number, a),
        }
    }
    // SAFETY: passed on unchanged.
    unsafe {
        real!(syscall: fn(c_long, c_long, c_long, c_long, c_long, c_long, c_long) -> c_long)(number, a, b, c, d, e, f)
    }
}

/// Whether the first argument of a harmless call is a descriptor.
fn takes_descriptor(number: c_long) -> bool {
    let call = usize::try_from(number).ok().and_then(Sysno::new);
    call.is_some_and(|call| ON_DESCRIPTORS.contains(&call))
}

/// A call on a descriptor of what is emulated.
///
/// # Safety
/// The arguments are those of that call.
unsafe fn on_descriptor(active: &Active, number: c_long, descriptor: c_int, b: usize, c: usize) -> c_long {
    let call = Call { primitive: "syscall", caller: 0 };
    let piece = [libc::iovec { iov_base: b as *mut c_void, iov_len: c }];
    let pieces = match number {
        // SAFETY: the caller's promise.
        libc::SYS_readv | libc::SYS_writev => unsafe { Pieces::at(b as *const libc::iovec, c) },
        // SAFETY: the caller's promise.
        _ => Ok(unsafe { Pieces::new(&piece) }),
    };
    let done = pieces.and_then(|pieces| match number {
        libc::SYS_close => kernel::close_number(active, call, descriptor).map(|()| 0),
        libc::SYS_read | libc::SYS_readv => kernel::read_into(active, call, descriptor, &pieces),
        libc::SYS_write | libc::SYS_writev => kernel::write_from(active, call, descriptor, &pieces),
        _ => active.refuse("a system call on a pipe, socket or the like, by its number"),
    });
    done.map_or_else(
        |error| {
            set_errno(error);
            -1
        },
        |size| size as c_long,
    )
}

/// Ends the execution unless the call is harmless.
fn admit(active: &Active, number: c_long, first: c_long) {
    let call = usize::try_from(number).ok().and_then(Sysno::new);
    let is_harmless = match call {
        // The kernel says that there is none of that number.
        None => !(0..1024).contains(&number),
        Some(Sysno::prctl) => [libc::PR_SET_NAME, libc::PR_GET_NAME].map(c_long::from).contains(&first),
        Some(call) => HARMLESS.contains(&call) || ON_DESCRIPTORS.contains(&call),
    };
    if !is_harmless {
        let name = call.map_or_else(|| number.to_string(), |call| call.name().to_owned());
        active.refuse(&format!("syscall({name})"));
    }
}

/// As `HARMLESS`, on a descriptor, which may be an emulated one.
const ON_DESCRIPTORS: &[Sysno] = &[
    Sysno::close,
    Sysno::read,
    Sysno::write,
    Sysno::readv,
    Sysno::writev,
    Sysno::pread64,
    Sysno::pwrite64,
    Sysno::lseek,
    Sysno::fstat,
    Sysno::ftruncate,
    Sysno::fsync,
    Sysno::fdatasync,
    Sysno::getdents64,
];

/// Calls that neither begin, end, block nor signal anything, and whose result is no schedule's.
const HARMLESS: &[Sysno] = &[
    // Who and where the caller is.
    Sysno::getpid,
    Sysno::getppid,
    Sysno::getpgid,
    Sysno::getsid,
    Sysno::getuid,
    Sysno::geteuid,
    Sysno::getgid,
    Sysno::getegid,
    Sysno::getcpu,
    Sysno::getcwd,
    Sysno::uname,
    Sysno::sysinfo,
    Sysno::getrusage,
    Sysno::sched_getaffinity,
    Sysno::sched_setaffinity,
    Sysno::sched_getscheduler,
    Sysno::sched_getparam,
    Sysno::get_mempolicy,
    Sysno::set_mempolicy,
    // Memory.
    Sysno::membarrier,
    Sysno::mmap,
    Sysno::munmap,
    Sysno::mremap,
    Sysno::mprotect,
    Sysno::madvise,
    Sysno::mbind,
    Sysno::mlock,
    Sysno::munlock,
    Sysno::msync,
    Sysno::mincore,
    Sysno::memfd_create,
    // Files, of which the hooks refuse those that block when they are opened.
    Sysno::openat,
    Sysno::statx,
];
