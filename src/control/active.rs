//! The execution under control on this OS thread, as the hooks see it.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;

use super::controller::{Controller, Next, Wake};
use super::engine::Engine;
use super::sanitizer;
use super::thread_local::{self, ThreadLocals};
use super::virtual_thread::{Start, VirtualThread};
use crate::execution::{Ending, ThreadId};
use crate::point::{Pending, Point};
use crate::schedule::Injection;

thread_local! {
    // Null unless a virtual thread runs on this OS thread.
    static ACTIVE: Cell<*const Active> = const { Cell::new(std::ptr::null()) };
}

/// The execution that the calling thread is part of, if it is controlled.
#[inline]
pub(super) fn active() -> Option<&'static Active> {
    // SAFETY: set only to an `Active` of a session, which is never freed.
    unsafe { ACTIVE.get().as_ref() }
}

/// Says that this OS thread runs virtual threads of `active` from here on, or none.
pub(super) fn set_active(active: *const Active) {
    ACTIVE.set(active);
}

/// Controller and engine together. Exactly one virtual thread runs at a time, and only it, or the root
/// between executions, touches these.
pub(super) struct Active {
    controller: UnsafeCell<Controller>,
    pub engine: Engine,
    /// Allocations of the subject in this execution, and which of them fails; 0 for none.
    allocations: Cell<u64>,
    failing_allocation: Cell<u64>,
}

impl Active {
    pub fn new(controller: Controller, engine: Engine) -> Self {
        let (allocations, failing_allocation) = (Cell::new(0), Cell::new(0));
        Self { controller: UnsafeCell::new(controller), engine, allocations, failing_allocation }
    }

    /// Counts allocations from 0 on, of which that one fails.
    pub fn begin_allocations(&self, failing: Option<u64>) {
        self.allocations.set(0);
        self.failing_allocation.set(failing.unwrap_or_default());
    }

    /// Counts an allocation; whether it is the one to fail.
    #[inline]
    pub fn count_allocation(&self) -> bool {
        self.allocations.set(self.allocations.get().wrapping_add(1));
        self.allocations.get() == self.failing_allocation.get()
    }

    pub fn allocations(&self) -> u64 {
        self.allocations.get()
    }

    /// Asks the controller something. `question` must not switch: the borrow would span other threads.
    #[inline]
    pub fn ask<R>(&self, question: impl FnOnce(&mut Controller) -> R) -> R {
        // SAFETY: one virtual thread runs at a time, and none is switched to inside `question`, which
        // has no access to the engine.
        question(unsafe { &mut *self.controller.get() })
    }

    /// Carries out what the controller decided. Returns once the calling thread runs again.
    #[inline]
    fn follow(&self, next: Next) {
        match next {
            Next::Continue => {}
            Next::Switch(thread) => self.engine.switch(thread),
            Next::Stop => self.engine.stop(),
        }
    }

    /// The calling thread passes a point, before an operation on `object` (an address, or 0); others may run before
    /// this returns.
    #[inline]
    pub fn pass(&self, point: Point, object: usize) {
        if self.ask(|controller| controller.count(point)) {
            let next = self.ask(|controller| controller.decide(Pending { point, object }));
            self.follow(next);
        }
    }

    /// The calling thread waits for `object`, at most until `deadline` (virtual nanoseconds).
    pub fn block(&self, object: usize, primitive: &'static str, deadline: Option<u64>) -> Wake {
        let next = self.ask(|controller| controller.block(object, primitive, deadline));
        self.follow(next);
        self.ask(|controller| controller.wake())
    }

    /// The subject called something that is not emulated: the execution ends here and says so.
    pub fn refuse(&self, what: &str) -> ! {
        let name = {
            let _unwatched = sanitizer::Unwatched::begin();
            what.to_owned()
        };
        let next = self.ask(|controller| controller.stop(Ending::Unsupported(name)));
        self.follow(next);
        unreachable!("a stopped execution goes on")
    }

    /// Whether what the calling thread is about to do, at the point that it has just passed, goes wrong in this way.
    #[inline]
    pub fn inject(&self, injection: Injection) -> bool {
        self.ask(|controller| controller.allows(injection)) && {
            let _unwatched = sanitizer::Unwatched::begin();
            self.ask(|controller| controller.inject(|option| option == injection)).is_some()
        }
    }

    /// The process image stops here: no thread goes on.
    pub fn crash(&self) -> ! {
        let next = {
            let _unwatched = sanitizer::Unwatched::begin();
            self.ask(|controller| controller.crash())
        };
        self.follow(next);
        unreachable!("a stopped execution goes on")
    }

    /// Ends the execution because the subject recorded too much.
    pub fn too_many_events(&self) {
        let next = self.ask(|controller| controller.stop(Ending::TooManyEvents));
        self.follow(next);
    }

    /// Creates a virtual thread that will run `start(argument)`; `None` if there are too many.
    pub fn spawn(&self, start: Start, argument: *mut c_void) -> Option<&VirtualThread> {
        let id = self.ask(|controller| controller.add_thread())?;
        let thread = {
            let _unwatched = sanitizer::Unwatched::begin();
            self.engine.thread(id)
        };
        thread.prepare(start, argument);
        sanitizer::release(thread.address());
        self.engine.launch(self, thread);
        Some(thread)
    }

    /// What a virtual thread does from its first to its last step, on its own stack.
    pub fn live(&self, thread: &VirtualThread) {
        sanitizer::acquire(thread.address());
        // SAFETY: the function and argument that were given to `pthread_create`, or ours for thread 0.
        unsafe { thread.run() };
        // SAFETY: these are the running thread's.
        unsafe { thread_local::destroy(thread.locals.get()) };
        if thread.id != 0 || thread.has_exited() {
            thread.specific.end(self); // A return from main runs no destructors of values.
        }
        // SAFETY: as above.
        unsafe { thread_local::free(thread.locals.get()) };
        self.pass(Point::ThreadEnd, thread.address());
        sanitizer::release(thread.address());
        let next = self.ask(|controller| {
            controller.wake_all(thread.address());
            controller.end_thread()
        });
        self.engine.leave(next);
    }

    #[inline]
    pub fn current(&self) -> ThreadId {
        self.ask(|controller| controller.current())
    }

    /// The running thread's thread-local variables.
    pub fn locals(&self) -> *mut ThreadLocals {
        self.engine.thread(self.current()).locals.get()
    }

    /// As `locals`, where variables live there: real threads have copies of their own.
    pub fn fiber_locals(&self) -> Option<*mut ThreadLocals> {
        self.engine.has_fibers().then(|| self.locals())
    }
}
