//! A variable of each OS thread: null unless a virtual thread runs on it.
//!
//! Every hook reads it. In a library, reading one of Rust's counts as a call, around which registers must be saved, so
//! on x86-64 it is read by the one instruction that an executable needs for its own variables.

pub use of_thread::{address, get, set};

#[cfg(target_arch = "x86_64")]
mod of_thread {
    use std::arch::{asm, global_asm};
    use std::ffi::c_void;

    global_asm!(
        ".pushsection .tbss.threadbare_active, \"awT\", @nobits",
        ".balign 8",
        ".hidden threadbare_active",
        ".globl threadbare_active",
        ".type threadbare_active, @object",
        ".size threadbare_active, 8",
        "threadbare_active:",
        ".zero 8",
        ".popsection",
    );

    #[inline(always)]
    pub fn get() -> *const c_void {
        let value;
        // SAFETY: reads a pointer of the calling thread, which nobody else writes.
        unsafe {
            asm!(
                "mov {}, qword ptr fs:[threadbare_active@TPOFF]",
                out(reg) value,
                options(readonly, nostack, preserves_flags),
            );
        }
        value
    }

    /// Where the calling thread's lies.
    pub fn address() -> usize {
        let address;
        // SAFETY: computes an address; the first word of a thread's variables is where they lie.
        unsafe {
            asm!(
                "mov {0}, qword ptr fs:[0]",
                "lea {0}, [{0} + threadbare_active@TPOFF]",
                out(reg) address,
                options(readonly, nostack, preserves_flags),
            );
        }
        address
    }

    pub fn set(value: *const c_void) {
        // SAFETY: as `get`.
        unsafe {
            asm!(
                "mov qword ptr fs:[threadbare_active@TPOFF], {}",
                in(reg) value,
                options(nostack, preserves_flags),
            );
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod of_thread {
    use std::cell::Cell;
    use std::ffi::c_void;

    thread_local! {
        static ACTIVE: Cell<*const c_void> = const { Cell::new(std::ptr::null()) };
    }

    #[inline]
    pub fn get() -> *const c_void {
        ACTIVE.get()
    }

    pub fn address() -> usize {
        ACTIVE.with(|active| std::ptr::from_ref(active) as usize)
    }

    pub fn set(value: *const c_void) {
        ACTIVE.set(value);
    }
}
