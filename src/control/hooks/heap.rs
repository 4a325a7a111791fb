//! The heap of a program under check that no sanitizer watches, by way of cpp/target/heap.c, and what other targets free, by way
//! of cpp/target/frees.c.

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::control::active::{Active, active};
use crate::control::state::heap::Freed;
use crate::control::{order, sanitizer};
use crate::model::settings::Sanitizer;

unsafe extern "C" {
    fn malloc_usable_size(block: *const c_void) -> usize;
}

/// The execution whose heap it is, unless the program defines `real` itself: then that is what has to see all calls.
fn watched(real: usize) -> Option<&'static Active> {
    active().filter(|active| active.image.get().is_some_and(|image| !image.contains(real)))
}

/// The target is about to free a block, whose heap is the C library's or AddressSanitizer's.
///
/// # Safety
/// The block is one that may be freed.
#[unsafe(no_mangle)]
unsafe extern "C" fn threadbare_frees(block: usize, caller: usize) {
    if active().is_none() || !order::is_on() {
        return;
    }
    if sanitizer::loaded() == Sanitizer::Address {
        // What is no block, or was freed, is the sanitizer's affair; what is given out again it tells.
        if let Some(size) = sanitizer::size_of_block(block) {
            order::freed(caller, block, size);
        }
        return;
    }
    // SAFETY: the caller's promise.
    let size = unsafe { malloc_usable_size(block as *const c_void) };
    order::freed(caller, block, size);
    // Who is given it next may not be known.
    order::given_back(block, size);
}

/// A block of so many bytes that the program freed, or null.
#[unsafe(no_mangle)]
extern "C" fn threadbare_heap_take(real: usize, size: usize) -> *mut c_void {
    let taken = watched(real).and_then(|active| active.ask(|controller| controller.heap.as_mut()?.take(size)));
    if let Some(block) = taken
        && order::is_on()
    {
        // SAFETY: a block that is handed out, all of which was freed.
        order::allocated(block, unsafe { malloc_usable_size(block as *const c_void) });
    }
    taken.unwrap_or_default() as *mut c_void
}

/// The program was given a block.
#[unsafe(no_mangle)]
extern "C" fn threadbare_heap_made(real: usize, block: usize) {
    if let Some(active) = watched(real) {
        if order::is_on() {
            // SAFETY: a block that was just given out.
            order::allocated(block, unsafe { malloc_usable_size(block as *const c_void) });
        }
        active.ask(|controller| controller.heap.as_mut().map(|heap| heap.made(block)));
    }
}

/// The program frees a block by calling the function of that name; whether there is nothing left to do.
///
/// # Safety
/// The block is one that may be freed, or was.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn threadbare_heap_free(
    real: usize,
    block: usize,
    name: *const c_char,
    caller: usize,
) -> c_int {
    let Some(active) = watched(real) else { return 0 };
    // SAFETY: the caller's promise; asked only of a block that is in use.
    let size = || unsafe { malloc_usable_size(block as *const c_void) };
    // SAFETY: the caller's promise.
    let freed = active.ask(|controller| controller.heap.as_mut().map(|heap| unsafe { heap.free(block, size) }));
    match freed {
        Some(Freed::Kept) => {
            if order::is_on() {
                order::freed(caller, block, size());
            }
            1
        }
        Some(Freed::Twice) => {
            // SAFETY: a literal of cpp/target/heap.c, which stays loaded.
            let name: &'static CStr = unsafe { CStr::from_ptr(name) };
            active.dangling(name.to_str().unwrap_or("free"), "on memory that was freed")
        }
        Some(Freed::Unknown) | None => {
            if order::is_on() {
                // Who is given it next may not be known.
                order::given_back(block, size());
            }
            0
        }
    }
}

/// The program has the block reallocated: what becomes of it is libc's affair.
///
/// # Safety
/// As `threadbare_heap_free`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn threadbare_heap_forget(real: usize, block: usize) {
    let Some(active) = watched(real) else { return };
    if active.ask(|controller| controller.heap.as_ref().is_some_and(|heap| heap.is_free(block))) {
        active.dangling("realloc", "on memory that was freed");
    }
    if block != 0 && order::is_on() {
        // SAFETY: the caller's promise; it is in use.
        order::given_back(block, unsafe { malloc_usable_size(block as *const c_void) });
    }
    active.ask(|controller| controller.heap.as_mut().map(|heap| heap.forget(block)));
}
