//! libFuzzer in this process: it decides which inputs are worth mutating further, by counters and edges.
//!
//! Its driver never returns, and it knows its target and mutator by the names of functions; so there is one of each.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int};
use std::process;

use libfuzzer_sys as _;

/// What libFuzzer works on. A process has one.
pub trait Target {
    /// Executes an input. Whether it may be kept, if it did something new.
    fn execute(&mut self, input: &[u8]) -> bool;

    /// An input that differs a little from this one, of at most so many bytes.
    fn mutate(&mut self, input: &[u8], most: usize, seed: u32) -> Vec<u8>;
}

thread_local! {
    /// libFuzzer stays on the thread that calls it.
    static TARGET: RefCell<Option<Box<dyn Target>>> = const { RefCell::new(None) };
}

/// Hands the process over to libFuzzer, with these of its options. The process ends when it has done what they ask, or
/// when `target` ends it.
///
/// # Panics
/// An argument contains a NUL.
pub fn drive(target: Box<dyn Target>, arguments: &[String]) -> ! {
    TARGET.set(Some(target));
    let arguments = ["threadbare"].into_iter().chain(arguments.iter().map(String::as_str));
    let arguments = arguments.map(|argument| CString::new(argument).expect("arguments have no NUL").into_raw());
    let mut pointers: Vec<*mut c_char> = arguments.chain([std::ptr::null_mut()]).collect();
    let mut count = c_int::try_from(pointers.len() - 1).expect("arguments are few");
    let mut first = pointers.as_mut_ptr();
    // SAFETY: as `main` gets them: C strings, which are never freed, and a null pointer. The callback is for any bytes.
    let code = unsafe { LLVMFuzzerRunDriver(&raw mut count, &raw mut first, execute) };
    process::exit(code)
}

fn with<R>(question: impl FnOnce(&mut dyn Target) -> R) -> R {
    TARGET.with_borrow_mut(|target| {
        question(target.as_mut().expect("libFuzzer runs, so there is what it works on").as_mut())
    })
}

unsafe extern "C" {
    fn LLVMFuzzerRunDriver(
        count: *mut c_int,
        arguments: *mut *mut *mut c_char,
        callback: unsafe extern "C" fn(*const u8, usize) -> c_int,
    ) -> c_int;
}

/// The bytes that libFuzzer means.
///
/// # Safety
/// `data` points to `size` bytes that nobody writes while the slice lives, or `size` is 0.
unsafe fn bytes<'a>(data: *const u8, size: usize) -> &'a [u8] {
    // SAFETY: as the caller says; a slice's pointer may not be null even if it is empty.
    if size == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data, size) } }
}

unsafe extern "C" fn execute(data: *const u8, size: usize) -> c_int {
    // SAFETY: libFuzzer's contract with its targets.
    let input = unsafe { bytes(data, size) };
    if with(|target| target.execute(input)) { 0 } else { -1 }
}

/// The target by the name that libfuzzer-sys knows; the driver is given another.
#[expect(improper_ctypes_definitions, reason = "libfuzzer-sys declares it so")]
#[unsafe(no_mangle)]
extern "C" fn rust_fuzzer_test_input(input: &[u8]) -> c_int {
    if with(|target| target.execute(input)) { 0 } else { -1 }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn LLVMFuzzerCustomMutator(data: *mut u8, size: usize, most: usize, seed: u32) -> usize {
    // SAFETY: `size` bytes are there, and nobody else uses them.
    let made = with(|target| target.mutate(unsafe { bytes(data, size) }, most, seed));
    let made = &made[..made.len().min(most)];
    // SAFETY: there is room for `most` bytes, and what was made is memory of its own.
    unsafe { std::ptr::copy_nonoverlapping(made.as_ptr(), data, made.len()) };
    made.len()
}
