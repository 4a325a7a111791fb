//! `thread_local` of the target: storage and destructors per virtual thread.
//!
//! clang's `-femulated-tls` turns every access into a call of `__emutls_get_address`, so the controller
//! can give each fiber its own copy. Destructors are registered with `__cxa_thread_atexit`, with both
//! compilers; they run at the end of the virtual thread, while it is still under control. Two variables of
//! libstdc++ itself, set by `std::call_once`, are not emulated in the library and get special treatment.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::active::active;
use super::real::real;

/// Thread-local variables of one kind of target; more than any of them has.
const MAX_VARIABLES: usize = 1024;
/// Destructors pending in one thread before the table must grow.
const FEW_DESTRUCTORS: usize = 64;

type Destructor = unsafe extern "C-unwind" fn(*mut c_void);

/// The copies of one virtual thread.
pub(super) struct ThreadLocals {
    blocks: Vec<*mut c_void>,
    /// From here on all blocks are null.
    used: usize,
    destructors: Vec<(Destructor, *mut c_void)>,
}

impl ThreadLocals {
    pub const fn new() -> Self {
        Self { blocks: Vec::new(), used: 0, destructors: Vec::new() }
    }

    /// The copy of a variable, made on first use.
    ///
    /// # Safety
    /// `control` is one that the compiler made.
    unsafe fn address(&mut self, control: *mut EmutlsControl) -> *mut c_void {
        // SAFETY: the caller's promise.
        let index = unsafe { (*control).index() };
        if self.blocks.len() <= index {
            self.blocks.resize(MAX_VARIABLES.max(index + 1), std::ptr::null_mut());
        }
        if self.blocks[index].is_null() {
            // SAFETY: the caller's promise.
            self.blocks[index] = unsafe { (*control).allocate() };
            self.used = self.used.max(index + 1);
        }
        self.blocks[index]
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
pub(super) unsafe fn destroy(locals: *mut ThreadLocals) {
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
/// As `destroy`.
pub(super) unsafe fn free(locals: *mut ThreadLocals) {
    // SAFETY: the caller's promise.
    let locals = unsafe { &mut *locals };
    locals.destructors.clear();
    locals.free_blocks();
}

/// What the compiler emits for each emulated variable (GCC's emutls.c, which clang follows).
#[repr(C)]
pub(super) struct EmutlsControl {
    size: usize,
    align: usize,
    /// 0 until the first use, then 1 and up.
    index: AtomicUsize,
    /// Initial bytes, or null for zeros.
    template: *const u8,
}

static VARIABLES: AtomicUsize = AtomicUsize::new(0);

/// Variables that have a number now.
pub(super) fn numbered() -> usize {
    VARIABLES.load(Ordering::Relaxed)
}

/// Variables numbered since `numbered` gave `count` ask for a number again: what holds theirs was put back.
pub(super) fn forget_after(count: usize) {
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

thread_local! {
    /// Copies of code that no controller runs: one set per OS thread.
    static UNCONTROLLED: RefCell<ThreadLocals> = const { RefCell::new(ThreadLocals::new()) };
}

unsafe extern "C" {
    /// cpp/control/real.c: which of libstdc++'s two variables `control` names (0 or 1), else -1.
    fn threadbare_once_variable(control: *const c_void) -> c_int;
    /// cpp/control/real.c: where libstdc++ keeps its own copy of one of them.
    fn threadbare_own_once_variable(index: c_int) -> *mut *mut c_void;
}

/// Hands the two variables of `std::call_once`, which code on a fiber has set in its own copies, over to
/// libstdc++, which reads its own. Called just before it does.
pub(super) fn hand_over_once_variables() {
    if let Some(active) = active().filter(|active| active.engine.has_fibers()) {
        let copies = &active.engine.thread(active.current()).once;
        for (index, copy) in (0..).zip(copies) {
            // SAFETY: the calling OS thread's variable, which is a pointer.
            unsafe { *threadbare_own_once_variable(index) = copy.get() };
        }
    }
}

/// Stands in for libgcc's and compiler-rt's `__emutls_get_address`: the address of the calling virtual
/// thread's copy of a variable.
///
/// # Safety
/// `control` is one that the compiler made.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn __emutls_get_address(control: *mut EmutlsControl) -> *mut c_void {
    // SAFETY: only compares addresses.
    let once = unsafe { threadbare_once_variable(control.cast()) };
    if once >= 0 {
        return match active().filter(|active| active.engine.has_fibers()) {
            Some(active) => active.engine.thread(active.current()).once[once as usize].as_ptr().cast(),
            // SAFETY: has no preconditions.
            None => unsafe { threadbare_own_once_variable(once) }.cast(),
        };
    }
    match active().and_then(|active| active.fiber_locals()) {
        // SAFETY: the running fiber's own; nothing switches while the borrow lasts.
        Some(locals) => unsafe { (*locals).address(control) },
        // SAFETY: the caller's promise.
        None => UNCONTROLLED.with_borrow_mut(|locals| unsafe { locals.address(control) }),
    }
}

/// Stands in for libstdc++'s `__cxa_thread_atexit`: runs `destructor(object)` when the calling virtual
/// thread ends.
///
/// # Safety
/// As the C++ ABI asks: `destructor` can be called with `object`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn __cxa_thread_atexit(
    destructor: Destructor,
    object: *mut c_void,
    library: *mut c_void,
) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe {
            real!(__cxa_thread_atexit: fn(Destructor, *mut c_void, *mut c_void) -> c_int)(destructor, object, library)
        };
    };
    let locals = active.locals();
    // SAFETY: the running thread's own; nothing switches while the borrow lasts.
    let destructors = unsafe { &mut (*locals).destructors };
    if destructors.capacity() == 0 {
        destructors.reserve(FEW_DESTRUCTORS);
    }
    destructors.push((destructor, object));
    0
}
