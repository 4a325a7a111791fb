//! What atomic operations order, told to ThreadSanitizer apart from the operations themselves, which are relaxed for it.
//!
//! TSan takes a load for one of the newest store, takes no notice of fences, and has an acquire load acquire whatever was ever
//! released at its address. So each release of each thread has a cell of its own, whose clock TSan keeps: whoever acquires
//! the release, by whatever it reads and which fences there are, acquires its cell.

use std::ffi::{c_int, c_void};
use std::ptr;

use super::{Interface, interface};
use crate::model::limits::MAX_VIRTUAL_THREADS;

/// `__ATOMIC_RELAXED`, which orders nothing.
const RELAXED: c_int = 0;
/// `__ATOMIC_RELEASE`, by which the clock of the cell is replaced, and not added to: it is used again.
const RELEASE: c_int = 3;
/// Cells of a thread. After so many releases they are used again, in which case more is acquired than was released there.
const CELLS: usize = 1 << 14;

/// The cells of all threads.
pub struct Cells {
    first: *mut u64,
}

impl Cells {
    /// `None` without ThreadSanitizer.
    pub fn new() -> Option<Self> {
        interface().atomic_store?;
        let size = MAX_VIRTUAL_THREADS * CELLS * size_of::<u64>();
        let (access, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
        // SAFETY: a new mapping, of which only what is used takes memory.
        let first = unsafe { libc::mmap(ptr::null_mut(), size, access, kind, -1, 0) };
        assert!(first != libc::MAP_FAILED, "no address space for the cells of ThreadSanitizer's clocks");
        Some(Self { first: first.cast() })
    }

    fn of(&self, thread: usize, release: u32) -> *mut u64 {
        debug_assert!(thread < MAX_VIRTUAL_THREADS);
        // SAFETY: within the mapping.
        unsafe { self.first.add(thread * CELLS + release as usize % CELLS) }
    }

    /// The running thread makes its release of that number.
    pub fn release(&self, thread: usize, release: u32) {
        if let Some(store) = interface().atomic_store {
            // SAFETY: a cell that only its thread writes.
            unsafe { store(self.of(thread, release), 0, RELEASE) };
        }
    }

    /// The running thread acquires that release of another one, and with it those before.
    pub fn acquire(&self, thread: usize, release: u32) {
        if let Some(acquire) = interface().acquire {
            // SAFETY: TSan only uses the address as a name.
            unsafe { acquire(self.of(thread, release).cast::<c_void>()) };
        }
    }
}

/// Shows TSan a relaxed access of so many bytes, made from `caller`: an operation that it does not see itself.
pub fn show(address: usize, size: usize, writes: bool, caller: usize) {
    let Interface { func_entry: Some(entry), func_exit: Some(exit), .. } = interface() else { return };
    // There is none for 16 bytes whose value can be passed on as that of others.
    let part = size.min(size_of::<u64>());
    let functions = part.trailing_zeros() as usize;
    // SAFETY: a pair around what does not switch; the program is about to make an operation there that reads or writes all
    // bytes, and to add no bits leaves what is there as it is.
    unsafe {
        entry(caller as *const c_void);
        for at in (address..address + size).step_by(part) {
            match (interface().atomic_or[functions], interface().atomic_load[functions]) {
                (Some(write), _) if writes => write(at as *mut c_void, 0, RELAXED),
                (_, Some(read)) => read(at as *const c_void, RELAXED),
                _ => {}
            }
        }
        exit();
    }
}
