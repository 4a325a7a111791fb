//! Switches from stack to stack, for x86-64.
//!
//! A stack that stands still has on top where it goes on, then `rbx` and `rbp`. The compiler saves the other registers
//! around a switch if it has to.

use std::arch::{asm, naked_asm};
use std::cell::Cell;
use std::ffi::c_void;
use std::io;

use corosensei::stack::{DefaultStack, Stack as _};

use super::Entry;

/// Stacks begin so far apart within a page, or their busiest parts would share few lines of the cache.
const STAGGER: usize = 576;
const STAGGERED: usize = 6;

pub struct Stack {
    memory: DefaultStack,
    top: usize,
    /// The stack pointer, while it stands still.
    at: Cell<usize>,
}

/// The stack that all others are entered from.
pub struct Switcher {
    at: Cell<usize>,
}

impl Stack {
    /// The stack with that number, of so many bytes, on which `entry(argument)` is called when it is first switched to.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn new(number: usize, size: usize, entry: Entry, argument: *const c_void) -> io::Result<Self> {
        let memory = DefaultStack::new(size)?;
        let top = memory.base().get() - number % STAGGERED * STAGGER;
        let stack = Self { memory, top, at: Cell::new(0) };
        stack.renew(entry, argument);
        Ok(stack)
    }

    /// From its lowest address to the one after its highest.
    pub fn bounds(&self) -> (usize, usize) {
        (self.memory.limit().get(), self.memory.base().get())
    }

    /// The stack pointer, while it stands still.
    pub fn stands_at(&self) -> usize {
        self.at.get()
    }

    /// Where that is kept; on top of the stack lies what the next lines of `switch` pop.
    pub fn place_of_pointer(&self) -> usize {
        self.at.as_ptr() as usize
    }

    /// Makes it as new, whatever stood on it. It must not run.
    pub fn renew(&self, entry: Entry, argument: *const c_void) {
        // What `base` finds, with room above it so that the stack is aligned there.
        let first = [base as *const () as usize, argument as usize, entry as usize, 0, 0];
        let at = self.top - size_of_val(&first);
        // SAFETY: the topmost part of a stack that is not in use, which is writable and aligned to 16 bytes.
        unsafe { (at as *mut [usize; 5]).write(first) };
        self.at.set(at);
    }
}

impl Switcher {
    pub fn new() -> Self {
        Self { at: Cell::new(0) }
    }

    /// Called by the root: goes on with that stack. Returns when one of them leaves for the root.
    ///
    /// # Safety
    /// The stack lives and stands still; so for the stack that is switched to below. `from` is the caller's.
    pub unsafe fn enter(&self, stack: &Stack) {
        // SAFETY: the caller's promise.
        unsafe { switch(&self.at, stack.at.get()) };
    }

    /// Goes on with another stack; returns when this one is switched to.
    ///
    /// # Safety
    /// See `enter`.
    #[inline(always)]
    pub unsafe fn switch(&self, from: &Stack, to: &Stack) {
        // SAFETY: the caller's promise.
        unsafe { switch(&from.at, to.at.get()) };
    }

    /// Goes on with the root.
    ///
    /// # Safety
    /// See `enter`.
    #[inline]
    pub unsafe fn leave(&self, from: &Stack) {
        // SAFETY: the root stands still while others run.
        unsafe { switch(&from.at, self.at.get()) };
    }
}

/// Keeps in `from` where the running stack stands, and goes on with the one that stands at `to`.
///
/// # Safety
/// A stack stands there that was left by this function or is new.
#[inline(always)]
unsafe fn switch(from: &Cell<usize>, to: usize) {
    // SAFETY: all registers are saved here or by the compiler, and the stack pointer is what it was when this goes on.
    unsafe {
        asm!(
            "push rbp",
            "push rbx",
            "lea rax, [rip + 2f]",
            "push rax",
            "mov [rdi], rsp",
            "mov rsp, rsi",
            // Not a return, whose target the processor would mispredict.
            "pop rax",
            "jmp rax",
            "2:",
            "pop rbx",
            "pop rbp",
            inout("rdi") from.as_ptr() => _,
            inout("rsi") to => _,
            lateout("r12") _,
            lateout("r13") _,
            lateout("r14") _,
            lateout("r15") _,
            clobber_abi("sysv64"),
        );
    }
}

/// Where a new stack begins. For unwinders it has no caller.
#[unsafe(naked)]
unsafe extern "C" fn base() -> ! {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "pop rdi",
        "pop rax",
        "xor ebp, ebp",
        "call rax",
        "ud2",
        ".cfi_endproc",
    )
}
