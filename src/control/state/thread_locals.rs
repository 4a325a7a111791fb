//! The thread-local variables of a virtual thread, and their destructors.
//!
//! clang's `-femulated-tls` turns every access into a call of `__emutls_get_address`, so each virtual thread can have a
//! copy of its own. Both compilers register destructors with `__cxa_thread_atexit`.

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Thread-local variables of one kind of target; more than any of them has.
const MAX_VARIABLES: usize = 1024;
/// Destructors pending in one thread before the table must grow.
const FEW_DESTRUCTORS: usize = 64;

pub type Destructor = unsafe extern "C-unwind" fn(*mut c_void);

/// The copies of one virtual thread.
pub struct ThreadLocals {
    blocks: Vec<*mut c_void>,
    /// From here on all blocks are null.
    used: usize,
    destructors: Vec<(Destructor, *mut c_void)>,
}

impl ThreadLocals {
    pub const fn new() -> Self {
        Self { blocks: Vec::new(), used: 0, destructors: Vec::new() }
    }

    /// The copy of a variable, made on first use; how many bytes it is, if this is the first.
    ///
    /// # Safety
    /// `control` is one that the compiler made.
    pub unsafe fn address(&mut self, control: *mut EmutlsControl) -> (*mut c_void, Option<usize>) {
        // SAFETY: the caller's promise.
        let index = unsafe { (*control).index() };
        if self.blocks.len() <= index {
            self.blocks.resize(MAX_VARIABLES.max(index + 1), std::ptr::null_mut());
        }
        if !self.blocks[index].is_null() {
            return (self.blocks[index], None);
        }
        // SAFETY: the caller's promise.
        let (block, size) = unsafe { ((*control).allocate(), (*control).size) };
        self.blocks[index] = block;
        self.used = self.used.max(index + 1);
        (block, Some(size))
    }

    /// Registers `destructor(object)`, to be run before those that are registered already.
    pub fn register(&mut self, destructor: Destructor, object: *mut c_void) {
        if self.destructors.capacity() == 0 {
            self.destructors.reserve(FEW_DESTRUCTORS);
        }
        self.destructors.push((destructor, object));
    }

    /// Takes the destructor to run next, the last one registered first.
    fn next_destructor(&mut self) -> Option<(Destructor, *mut c_void)> {
        self.destructors.pop()
    }

    /// Forgets the copies of a thread that ends in the middle of something, without running their destructors.
    pub fn abandon(&mut self) {
        self.destructors.clear();
        self.free_blocks();
    }

    fn free_blocks(&mut self) {
        for block in &mut self.blocks[..std::mem::take(&mut self.used)] {
            if !block.is_null() {
                // SAFETY: `allocate` got it from the C allocator, and its destructor has run.
                unsafe { libc::free(*block) };
                *block = std::ptr::null_mut();
            }
        }
    }
}

impl Drop for ThreadLocals {
    fn drop(&mut self) {
        self.free_blocks();
    }
}

/// Destroys the thread-local variables of a virtual thread, on that thread. Their memory stays.
///
/// # Safety
/// `locals` belongs to the running virtual thread, and no reference to it is held.
pub unsafe fn destroy(locals: *mut ThreadLocals) {
    // SAFETY: the borrow ends before the destructor runs, which may register another one.
    while let Some((destructor, object)) = unsafe { (*locals).next_destructor() } {
        // SAFETY: registered by the C++ runtime for this object, and run once.
        unsafe { destructor(object) };
    }
}

/// Frees the thread-local variables of a virtual thread. What was constructed after `destroy` is not destroyed, as in
/// glibc.
///
/// # Safety
/// The thread is the running one or has ended, and no reference to `locals` is held.
pub unsafe fn free(locals: *mut ThreadLocals) {
    // SAFETY: the caller's promise.
    let locals = unsafe { &mut *locals };
    locals.destructors.clear();
    locals.free_blocks();
}

/// What the compiler emits for each emulated variable (GCC's emutls.c, which clang follows).
#[repr(C)]
pub struct EmutlsControl {
    size: usize,
    align: usize,
    /// 0 until the first use, then 1 and up.
    index: AtomicUsize,
    /// Initial bytes, or null for zeros.
    template: *const u8,
}

static VARIABLES: AtomicUsize = AtomicUsize::new(0);

/// Variables that have a number now.
pub fn numbered() -> usize {
    VARIABLES.load(Ordering::Relaxed)
}

/// Variables numbered since `numbered` gave `count` ask for a number again: what holds theirs was put back.
pub fn forget_after(count: usize) {
    VARIABLES.store(count, Ordering::Relaxed);
}

impl EmutlsControl {
    fn index(&self) -> usize {
        let known = self.index.load(Ordering::Acquire);
        if known != 0 {
            return known - 1;
        }
        let fresh = VARIABLES.fetch_add(1, Ordering::Relaxed) + 1;
        match self.index.compare_exchange(0, fresh, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => fresh - 1,
            Err(other) => other - 1,
        }
    }

    fn allocate(&self) -> *mut c_void {
        let mut block = std::ptr::null_mut();
        let align = self.align.max(size_of::<*const c_void>());
        // SAFETY: `block` receives at least `size` bytes, which are then initialised from the template.
        unsafe {
            if libc::posix_memalign(&raw mut block, align, self.size.max(1)) != 0 {
                libc::abort();
            }
            if self.template.is_null() {
                block.cast::<u8>().write_bytes(0, self.size);
            } else {
                block.cast::<u8>().copy_from_nonoverlapping(self.template, self.size);
            }
        }
        block
    }
}
