//! Threads: creation, joining, detaching, identity and yielding.

use std::ffi::{c_char, c_int, c_void};

use crate::control::active::{Active, active};
use crate::control::real::real;
use crate::control::sanitizer;
use crate::control::virtual_thread::{Start, VirtualThread};
use crate::point::Point;

unsafe extern "C" {
    fn pthread_attr_getdetachstate(attributes: *const libc::pthread_attr_t, state: *mut c_int) -> c_int;
}

/// The virtual thread that the subject knows by `handle`: the latest, since the system uses handles of
/// joined threads again.
fn by_handle(active: &Active, handle: libc::pthread_t) -> Option<&VirtualThread> {
    let threads = active.ask(|controller| controller.thread_count());
    (0..threads).rev().map(|id| active.engine.thread(id)).find(|thread| active.engine.handle(thread) == handle)
}

/// Stands in for `pthread_create`: the new virtual thread can run from here on. Of the attributes, only
/// "detached" is used.
///
/// # Safety
/// That of `pthread_create`. The same holds for the others below.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_create(
    handle: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe {
            real!(pthread_create: fn(*mut libc::pthread_t, *const libc::pthread_attr_t, Start, *mut c_void) -> c_int)(
                handle, attributes, start, argument,
            )
        };
    };
    active.pass(Point::ThreadCreate, 0);
    let Some(thread) = active.spawn(start, argument) else { active.refuse("more threads than an execution may make") };
    // SAFETY: the caller's promise.
    unsafe { *handle = active.engine.handle(thread) };
    let mut state = libc::PTHREAD_CREATE_JOINABLE;
    if !attributes.is_null() {
        // SAFETY: the caller's promise; only reads the attributes.
        unsafe { pthread_attr_getdetachstate(attributes, &raw mut state) };
    }
    if state == libc::PTHREAD_CREATE_DETACHED {
        release(active, thread);
    }
    0
}

fn release(active: &Active, thread: &VirtualThread) {
    thread.released.set(true);
    active.engine.detach(thread);
}

/// Stands in for `pthread_join`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_join(handle: libc::pthread_t, result: *mut *mut c_void) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(pthread_join: fn(libc::pthread_t, *mut *mut c_void) -> c_int)(handle, result) };
    };
    let thread = by_handle(active, handle);
    active.pass(Point::ThreadJoin, thread.map_or(0, VirtualThread::address));
    let Some(thread) = thread else { return libc::ESRCH };
    if thread.released.get() {
        return libc::EINVAL;
    }
    if thread.id == active.current() {
        return libc::EDEADLK;
    }
    thread.released.set(true);
    while !active.ask(|controller| controller.has_ended(thread.id)) {
        active.block(thread.address(), "pthread_join", None);
    }
    active.engine.join(thread);
    sanitizer::acquire(thread.address());
    if !result.is_null() {
        // SAFETY: the caller's promise.
        unsafe { *result = thread.result.get() };
    }
    0
}

/// Stands in for `pthread_detach`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_detach(handle: libc::pthread_t) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(pthread_detach: fn(libc::pthread_t) -> c_int)(handle) };
    };
    match by_handle(active, handle) {
        Some(thread) if !thread.released.get() => {
            release(active, thread);
            0
        }
        Some(_) => libc::EINVAL,
        None => libc::ESRCH,
    }
}

/// Stands in for `pthread_self`: differs between virtual threads, also where they share an OS thread.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_self() -> libc::pthread_t {
    match active() {
        Some(active) => active.engine.handle(active.engine.thread(active.current())),
        // SAFETY: has no preconditions.
        None => unsafe { this_os_thread() },
    }
}

/// The OS thread's own `pthread_t`.
unsafe fn this_os_thread() -> libc::pthread_t {
    // SAFETY: passed on unchanged.
    unsafe { real!(pthread_self: fn() -> libc::pthread_t)() }
}

/// Stands in for `pthread_getattr_np`, which sanitizer runtimes call with what `pthread_self` gave them:
/// a virtual thread on a fiber has the attributes of its OS thread.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_getattr_np(
    handle: libc::pthread_t,
    attributes: *mut libc::pthread_attr_t,
) -> c_int {
    let virtual_thread = active().filter(|active| active.engine.has_fibers() && by_handle(active, handle).is_some());
    // SAFETY: passed on with a handle that the system knows.
    unsafe {
        let handle = if virtual_thread.is_some() { this_os_thread() } else { handle };
        real!(pthread_getattr_np: fn(libc::pthread_t, *mut libc::pthread_attr_t) -> c_int)(handle, attributes)
    }
}

/// Stands in for `pthread_setname_np`; names of virtual threads are not kept.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_setname_np(handle: libc::pthread_t, name: *const c_char) -> c_int {
    if active().is_some() {
        return 0;
    }
    // SAFETY: passed on unchanged.
    unsafe { real!(pthread_setname_np: fn(libc::pthread_t, *const c_char) -> c_int)(handle, name) }
}

/// Stands in for `sched_yield`: lets another thread run if one can.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn sched_yield() -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(sched_yield: fn() -> c_int)() };
    };
    active.pass(Point::Yield, 0);
    0
}
