//! The ways in which a program under check ends itself. They end the execution; other threads stop where they are.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

use crate::control::active::{Active, active};
use crate::control::real::real;
use crate::control::sanitizer::Unwatched;
use crate::control::state::exit_handlers::ExitHandler;
use crate::model::execution::Exit;
use crate::model::op::OpKind;

unsafe extern "C" {
    fn __cxa_current_exception_type() -> *const TypeInfo;
    fn __cxa_demangle(name: *const c_char, buffer: *mut c_char, length: *mut usize, status: *mut c_int) -> *mut c_char;
}

/// `std::type_info` (Itanium C++ ABI).
#[repr(C)]
struct TypeInfo {
    table: *const c_void,
    name: *const c_char,
}

/// The execution of a program under check that the calling thread is part of.
fn program() -> Option<&'static Active> {
    active().filter(|active| active.has_image())
}

/// Stands in for `exit`.
///
/// # Safety
/// That of `exit`. The same holds for the others below.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn exit(status: c_int) -> ! {
    match program() {
        Some(active) => active.leave_program(active.prepare_exit(status)),
        // SAFETY: passed on unchanged.
        None => unsafe { real!(exit: fn(c_int) -> !)(status) },
    }
}

/// Hooks for functions that end the program at once.
macro_rules! leave_at_once {
    ($($name:ident)*) => {$(
        #[doc = concat!("Stands in for `", stringify!($name), "`.")]
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name(status: c_int) -> ! {
            match program() {
                Some(active) => {
                    active.pass(OpKind::Exit, 0);
                    active.leave_program(Exit::Status(status & 0xff))
                }
                // SAFETY: passed on unchanged.
                None => unsafe { real!($name: fn(c_int) -> !)(status) },
            }
        }
    )*};
}

leave_at_once! { _exit _Exit }

/// Stands in for `quick_exit`: only the handlers of `at_quick_exit` run.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn quick_exit(status: c_int) -> ! {
    match program() {
        Some(active) => {
            active.pass(OpKind::Exit, 0);
            active.quick_exit_handlers.run();
            active.leave_program(Exit::Status(status & 0xff))
        }
        // SAFETY: passed on unchanged.
        None => unsafe { real!(quick_exit: fn(c_int) -> !)(status) },
    }
}

/// Stands in for `__cxa_at_quick_exit`, which `at_quick_exit` calls; as `__cxa_atexit`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __cxa_at_quick_exit(
    function: unsafe extern "C-unwind" fn(*mut c_void),
    library: *mut c_void,
) -> c_int {
    match program() {
        Some(active) => {
            active.quick_exit_handlers.add(ExitHandler { function, argument: std::ptr::null_mut() });
            0
        }
        // SAFETY: passed on unchanged.
        None => unsafe {
            real!(__cxa_at_quick_exit: fn(unsafe extern "C-unwind" fn(*mut c_void), *mut c_void) -> c_int)(
                function, library,
            )
        },
    }
}

/// Stands in for `__cxa_atexit`, which `atexit` and the compiler call: the handlers of an execution run at its end.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __cxa_atexit(
    function: unsafe extern "C-unwind" fn(*mut c_void),
    argument: *mut c_void,
    library: *mut c_void,
) -> c_int {
    match program() {
        Some(active) => {
            active.exit_handlers.add(ExitHandler { function, argument });
            0
        }
        // SAFETY: passed on unchanged.
        None => unsafe {
            real!(__cxa_atexit: fn(unsafe extern "C-unwind" fn(*mut c_void), *mut c_void, *mut c_void) -> c_int)(
                function, argument, library,
            )
        },
    }
}

/// Stands in for `atexit`. That is a part of each program, but where g++ links one with ThreadSanitizer's runtime, which has one
/// that goes past `__cxa_atexit`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn atexit(function: unsafe extern "C-unwind" fn()) -> c_int {
    unsafe extern "C-unwind" fn call(function: *mut c_void) {
        // SAFETY: the one that was registered.
        unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C-unwind" fn()>(function)() };
    }
    // SAFETY: what it does itself.
    unsafe { __cxa_atexit(call, function as *mut c_void, std::ptr::null_mut()) }
}

/// Stands in for `__cxa_finalize`, which an object's last destructor calls: the handlers of an execution are not with the
/// C library.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __cxa_finalize(library: *mut c_void) {
    if program().is_none() {
        // SAFETY: passed on unchanged.
        unsafe { real!(__cxa_finalize: fn(*mut c_void))(library) };
    }
}

/// Stands in for `__register_atfork`, which `pthread_atfork` calls: nothing under control forks.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __register_atfork(
    prepare: *const c_void,
    parent: *const c_void,
    child: *const c_void,
    library: *mut c_void,
) -> c_int {
    match program() {
        Some(_) => 0,
        // SAFETY: passed on unchanged.
        None => unsafe {
            real!(__register_atfork: fn(*const c_void, *const c_void, *const c_void, *mut c_void) -> c_int)(
                prepare, parent, child, library,
            )
        },
    }
}

/// Stands in for `abort`, which `std::terminate` ends in.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn abort() -> ! {
    let Some(active) = program() else {
        // SAFETY: passed on.
        unsafe { real!(abort: fn() -> !)() }
    };
    active.handle_abort();
    let unwatched = Unwatched::begin();
    // SAFETY: the type of the exception that is being handled, if any; `std::terminate` handles one that nobody caught.
    let exception = unsafe { __cxa_current_exception_type().as_ref() };
    let exit = match exception {
        // SAFETY: a type's name is a C string.
        Some(exception) => Exit::UncaughtException(unsafe { demangled(exception.name) }),
        None => Exit::Aborted,
    };
    drop(unwatched);
    active.leave_program(exit)
}

/// # Safety
/// A C string.
unsafe fn demangled(name: *const c_char) -> String {
    // SAFETY: gives a string that is ours to free, or null.
    unsafe {
        let demangled = __cxa_demangle(name, std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut());
        let text = text(if demangled.is_null() { name } else { demangled });
        libc::free(demangled.cast());
        text
    }
}

/// # Safety
/// A C string, or null.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Stands in for what a failed `assert` calls.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __assert_fail(
    assertion: *const c_char,
    file: *const c_char,
    line: c_uint,
    function: *const c_char,
) -> ! {
    let Some(active) = program() else {
        // SAFETY: passed on unchanged.
        unsafe {
            real!(__assert_fail: fn(*const c_char, *const c_char, c_uint, *const c_char) -> !)(
                assertion, file, line, function,
            )
        }
    };
    let unwatched = Unwatched::begin();
    // SAFETY: C strings of the assertion.
    let (assertion, file) = unsafe { (text(assertion), text(file)) };
    let message = format!("{file}:{line}: `{assertion}`");
    drop(unwatched);
    active.leave_program(Exit::FailedAssertion(message))
}
