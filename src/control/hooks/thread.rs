//! Threads: creation, joining, detaching, identity and yielding.

use std::ffi::{c_char, c_int, c_void};

use super::{deadline, stand_in};
use crate::control::active::{Active, active};
use crate::control::controller::{Controller, Wake};
use crate::control::order;
use crate::control::real::real;
use crate::control::virtual_thread::{PosixStart, Start, VirtualThread};
use crate::model::op::{Op, OpKind};

unsafe extern "C" {
    fn pthread_attr_getdetachstate(attributes: *const libc::pthread_attr_t, state: *mut c_int) -> c_int;
}

/// The virtual thread that the target knows by `handle`.
pub(super) fn by_handle(active: &Active, handle: libc::pthread_t) -> Option<&VirtualThread> {
    let id = active.engine.thread_of(handle)?;
    active.ask(|controller| id < controller.thread_count()).then(|| active.engine.thread(id))
}

/// A new virtual thread, which can run from here on.
#[inline]
pub(super) fn create(active: &Active, start: Start, argument: *mut c_void) -> &VirtualThread {
    active.pass(OpKind::ThreadCreate, 0);
    active.spawn(start, argument).unwrap_or_else(|| active.refuse("more threads than an execution may make"))
}

/// The scheduling point of joining a thread.
fn pass_join(active: &Active, handle: libc::pthread_t, waits: bool) -> Result<&VirtualThread, c_int> {
    let thread = by_handle(active, handle);
    let object = thread.map_or(0, VirtualThread::address);
    active.pass_op(Op { waits: waits && may_wait(active, thread), ..Op::new(OpKind::ThreadJoin, object) });
    thread.ok_or(libc::ESRCH)
}

/// Whether joining that one is no error, so that it takes until it has ended.
fn may_wait(active: &Active, thread: Option<&VirtualThread>) -> bool {
    thread.is_some_and(|thread| thread.id != active.current() && !thread.released.get())
}

/// Waits for the end of a thread, at most until `deadline`; its result.
#[inline]
pub(super) fn join(
    active: &Active,
    handle: libc::pthread_t,
    primitive: &'static str,
    deadline: Option<u64>,
) -> Result<*mut c_void, c_int> {
    let thread = pass_join(active, handle, deadline.is_none())?;
    if thread.id == active.current() {
        return Err(libc::EDEADLK);
    }
    if thread.released.replace(true) {
        return Err(libc::EINVAL);
    }
    while !active.ask(|controller| controller.has_ended(thread.id)) {
        if active.block(thread.address(), primitive, deadline) == Wake::TimedOut {
            thread.released.set(false);
            active.ask(Controller::progress); // Time went on.
            return Err(libc::ETIMEDOUT);
        }
    }
    Ok(reap(active, thread))
}

/// Ends what carried a thread that has ended and that nobody else may join; its result.
#[inline]
fn reap(active: &Active, thread: &VirtualThread) -> *mut c_void {
    active.engine.join(thread);
    active.ask(|controller| controller.joined(thread.id));
    order::acquire(thread.address());
    if active.ask(|controller| controller.is_phase_with_one_thread()) {
        order::settled();
    }
    thread.retire_locals();
    thread.result.get()
}

/// What the POSIX functions give for that.
///
/// # Safety
/// `result` is null or a place for it.
unsafe fn report(joined: Result<*mut c_void, c_int>, result: *mut *mut c_void) -> c_int {
    match joined {
        Ok(value) => {
            // SAFETY: the caller's promise.
            if let Some(result) = unsafe { result.as_mut() } {
                *result = value;
            }
            0
        }
        Err(error) => error,
    }
}

/// # Safety
/// As `report`; `until` is a point of time.
unsafe fn join_until(
    active: &Active,
    handle: libc::pthread_t,
    result: *mut *mut c_void,
    primitive: &'static str,
    clock: libc::clockid_t,
    until: *const libc::timespec,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let deadline = match until.as_ref().map(|until| deadline(clock, until)) {
            None => None,
            Some(None) => return libc::EINVAL,
            Some(deadline) => deadline,
        };
        report(join(active, handle, primitive, deadline), result)
    }
}

pub(super) fn detach(active: &Active, handle: libc::pthread_t) -> c_int {
    match by_handle(active, handle) {
        Some(thread) if !thread.released.get() => {
            release(active, thread);
            0
        }
        Some(_) => libc::EINVAL,
        None => libc::ESRCH,
    }
}

fn release(active: &Active, thread: &VirtualThread) {
    thread.released.set(true);
    thread.detached.set(true);
    active.engine.detach(thread);
    if active.ask(|controller| controller.has_ended(thread.id)) {
        thread.retire_locals();
    }
}

stand_in! {
    #[doc = "The new virtual thread can run from here on. Of the attributes, only \"detached\" is used."]
    fn pthread_create(
        handle: *mut libc::pthread_t,
        attributes: *const libc::pthread_attr_t,
        start: PosixStart,
        argument: *mut c_void,
    ) -> c_int |active| {
        let thread = create(active, Start::Posix(start), argument);
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

    fn pthread_join(handle: libc::pthread_t, result: *mut *mut c_void) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe { report(join(active, handle, "pthread_join", None), result) }
    }

    fn pthread_tryjoin_np(handle: libc::pthread_t, result: *mut *mut c_void) -> c_int |active| {
        let joined = match pass_join(active, handle, false) {
            Ok(thread) if !active.ask(|controller| controller.has_ended(thread.id)) => Err(libc::EBUSY),
            Ok(thread) if thread.released.replace(true) => Err(libc::EINVAL),
            Ok(thread) => Ok(reap(active, thread)),
            Err(error) => Err(error),
        };
        // SAFETY: the caller's promise.
        unsafe { report(joined, result) }
    }

    fn pthread_timedjoin_np(
        handle: libc::pthread_t,
        result: *mut *mut c_void,
        until: *const libc::timespec,
    ) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe { join_until(active, handle, result, "pthread_timedjoin_np", libc::CLOCK_REALTIME, until) }
    }

    fn pthread_clockjoin_np(
        handle: libc::pthread_t,
        result: *mut *mut c_void,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> c_int |active| {
        // SAFETY: the caller's promise.
        unsafe { join_until(active, handle, result, "pthread_clockjoin_np", clock, until) }
    }

    fn pthread_detach(handle: libc::pthread_t) -> c_int |active| {
        detach(active, handle)
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

/// The number of the running virtual thread as the system would have it: of the first one, that of the process.
pub(super) fn number_of(active: &Active) -> libc::pid_t {
    // SAFETY: has no preconditions.
    unsafe { libc::getpid() + libc::pid_t::from(active.current()) }
}

stand_in! {
    fn gettid() -> libc::pid_t |active| {
        number_of(active)
    }
}

/// The OS thread's own `pthread_t`.
unsafe fn this_os_thread() -> libc::pthread_t {
    // SAFETY: passed on unchanged.
    unsafe { real!(pthread_self: fn() -> libc::pthread_t)() }
}

/// A handle that the system knows: a virtual thread has the attributes and the rights of the OS thread that asks.
fn known_to_system(handle: libc::pthread_t) -> libc::pthread_t {
    match active().filter(|active| by_handle(active, handle).is_some()) {
        // SAFETY: has no preconditions.
        Some(_) => unsafe { this_os_thread() },
        None => handle,
    }
}

/// Hooks for functions that tell of a thread: `name(handle, arguments) -> result`.
macro_rules! of_os_thread {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {$(
        #[doc = concat!("Stands in for `", stringify!($name), "`, which the system knows nothing of our handles for.")]
        ///
        /// # Safety
        /// That of the function.
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name(handle: libc::pthread_t, $($argument: $type),*) -> c_int {
            // SAFETY: passed on with a handle that the system knows.
            unsafe { real!($name: fn(libc::pthread_t, $($type),*) -> c_int)(known_to_system(handle), $($argument),*) }
        }
    )*};
}

of_os_thread! {
    pthread_getname_np(name: *mut c_char, size: usize);
    pthread_getaffinity_np(size: usize, set: *mut libc::cpu_set_t);
    pthread_getschedparam(policy: *mut c_int, parameters: *mut libc::sched_param);
}

/// Stands in for `pthread_getattr_np`: a virtual thread's stack is the one that it runs on. Sanitizers' runtimes call it with what
/// `pthread_self` gave them.
///
/// # Safety
/// That of the function.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_getattr_np(
    handle: libc::pthread_t,
    attributes: *mut libc::pthread_attr_t,
) -> c_int {
    // SAFETY: passed on with a handle that the system knows.
    let error = unsafe {
        real!(pthread_getattr_np: fn(libc::pthread_t, *mut libc::pthread_attr_t) -> c_int)(
            known_to_system(handle),
            attributes,
        )
    };
    let stack = active().and_then(|active| Some(by_handle(active, handle)?.stack.get()));
    match stack {
        // SAFETY: attributes that were just filled in, and the stack of a thread that lives.
        Some((first, end)) if error == 0 && first < end => unsafe {
            libc::pthread_attr_setstack(attributes, first as *mut c_void, end - first)
        },
        _ => error,
    }
}

stand_in! {
    #[doc = "Names of virtual threads are not kept."]
    fn pthread_setname_np(_handle: libc::pthread_t, _name: *const c_char) -> c_int |_active| { 0 }

    #[doc = "Who runs where is not the target's to say."]
    fn pthread_setaffinity_np(_handle: libc::pthread_t, _size: usize, _set: *const libc::cpu_set_t) -> c_int
        |_active| { 0 }

    #[doc = "Priorities are not kept: whoever can run may be chosen."]
    fn pthread_setschedparam(_handle: libc::pthread_t, _policy: c_int, _parameters: *const libc::sched_param) -> c_int
        |_active| { 0 }

    #[doc = "Priorities are not kept."]
    fn pthread_setschedprio(_handle: libc::pthread_t, _priority: c_int) -> c_int |_active| { 0 }
}

/// Stands in for `sched_yield`: lets another thread run if one can.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn sched_yield() -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(sched_yield: fn() -> c_int)() };
    };
    active.pass(OpKind::Yield, 0);
    0
}
