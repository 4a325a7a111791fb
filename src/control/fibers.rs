//! The engine `fibers`: every virtual thread is a stackful fiber, all on one OS thread.

use std::cell::{Cell, UnsafeCell};

use corosensei::stack::{DefaultStack, Stack};
use corosensei::{Coroutine, Yielder};

use super::active::Active;
use super::controller::{MAX_VIRTUAL_THREADS, Next};
use super::sanitizer::Context;
use super::virtual_thread::{Ambient, AmbientPlace, VirtualThread};
use crate::execution::ThreadId;

/// Address space of one stack; pages are used as they are touched.
const STACK_SIZE: usize = 1 << 20;

/// The fiber of one virtual thread. It runs one thread's life after the other, one each execution.
struct Fiber {
    // Boxed, because it is resumed by the root while other fields are in use by the fiber.
    coroutine: *mut Coroutine<(), (), (), DefaultStack>,
    /// Set once the fiber first runs.
    yielder: Cell<*const Yielder<(), ()>>,
    context: UnsafeCell<Context>,
    /// What C and C++ keep per thread, while the fiber does not run.
    ambient: Cell<Ambient>,
    /// From its lowest address to the one after its highest.
    stack: (usize, usize),
}

pub(super) struct Fibers {
    // Index: thread. Never grows past its first capacity, never shrinks.
    fibers: UnsafeCell<Vec<Fiber>>,
    running: Cell<ThreadId>,
    root: UnsafeCell<Context>,
    place: AmbientPlace,
    /// The running execution goes on no further.
    over: Cell<bool>,
    /// The address of `active`, for new fibers.
    active: Cell<*const Active>,
}

impl Fibers {
    pub fn new() -> Self {
        Self {
            fibers: UnsafeCell::new(Vec::with_capacity(MAX_VIRTUAL_THREADS)),
            running: Cell::new(0),
            root: UnsafeCell::new(Context::of_this_thread()),
            place: AmbientPlace::of_this_thread(),
            over: Cell::new(false),
            active: Cell::new(std::ptr::null()),
        }
    }

    pub fn launch(&self, active: &Active, thread: &VirtualThread) {
        self.active.set(active);
        // SAFETY: the borrow ends within this function, which does not switch.
        let fibers = unsafe { &mut *self.fibers.get() };
        while fibers.len() <= usize::from(thread.id) {
            fibers.push(self.make(fibers.len() as ThreadId));
        }
        let fiber = &fibers[usize::from(thread.id)];
        fiber.ambient.set(Ambient::FRESH);
        thread.stack.set(fiber.stack);
    }

    /// Ends the life of a thread that is in the middle of something: its stack is used anew, and what lives there is
    /// never destroyed.
    pub fn abandon(&self, thread: &VirtualThread) {
        // SAFETY: called by the root, when no fiber runs.
        let fiber = unsafe { &mut (&mut *self.fibers.get())[usize::from(thread.id)] };
        let context = fiber.context.get_mut();
        // SAFETY: the root's own context, see `run`.
        context.abandon(unsafe { &mut *self.root.get() }, thread.address());
        // SAFETY: made by `make`; nothing on its stack belongs to us but the closure, which owns nothing.
        let stack = unsafe {
            let mut coroutine = Box::from_raw(fiber.coroutine);
            coroutine.force_reset();
            coroutine.into_stack()
        };
        *fiber = self.make_on(stack, thread.id);
    }

    fn make(&self, id: ThreadId) -> Fiber {
        let stack = DefaultStack::new(STACK_SIZE).expect("no address space for another fiber's stack");
        self.make_on(stack, id)
    }

    fn make_on(&self, stack: DefaultStack, id: ThreadId) -> Fiber {
        let (top, bottom) = (stack.base().get(), stack.limit().get());
        let context = Context::of_fiber(bottom, top - bottom);
        let engine = std::ptr::from_ref(self);
        let coroutine = Coroutine::with_stack(stack, move |yielder: &Yielder<(), ()>, ()| {
            // SAFETY: engine and active live as long as the process.
            let (engine, active) = unsafe { (&*engine, &*(*engine).active.get()) };
            engine.fiber(id).yielder.set(yielder);
            engine.entered(engine.fiber(id));
            loop {
                active.live(active.engine.thread(id));
            }
        });
        Fiber {
            coroutine: Box::into_raw(Box::new(coroutine)),
            yielder: Cell::new(std::ptr::null()),
            context: UnsafeCell::new(context),
            ambient: Cell::new(Ambient::FRESH),
            stack: (bottom, top),
        }
    }

    #[inline]
    fn fiber(&self, id: ThreadId) -> &Fiber {
        // SAFETY: entries are never moved (the capacity is never exceeded) or removed.
        unsafe { &*(*self.fibers.get()).as_ptr().add(usize::from(id)) }
    }

    pub fn run(&self) {
        let ambient = self.place.load();
        self.running.set(0);
        self.over.set(false);
        // SAFETY: the contexts are touched by the code that runs on their stack, or is about to.
        unsafe { (*self.root.get()).leave_for(&*self.fiber(0).context.get()) };
        while !self.over.get() {
            let fiber = self.fiber(self.running.get());
            self.place.store(fiber.ambient.get());
            // SAFETY: a live coroutine that is suspended or new: only this loop resumes, one at a time.
            unsafe { (*fiber.coroutine).resume(()) };
        }
        // SAFETY: as above.
        unsafe { (*self.root.get()).entered() };
        self.place.store(ambient);
    }

    #[inline]
    pub fn switch(&self, next: ThreadId) {
        let me = self.running.get();
        if next == me {
            return;
        }
        self.running.set(next);
        let fiber = self.fiber(me);
        fiber.ambient.set(self.place.load());
        // SAFETY: see `run`; these are two different contexts.
        unsafe { (*fiber.context.get()).leave_for(&*self.fiber(next).context.get()) };
        self.suspend(fiber);
    }

    /// Leaves for the root. A fiber that has not ended never comes back from this.
    pub fn stop(&self) {
        self.over.set(true);
        let fiber = self.fiber(self.running.get());
        // SAFETY: see `run`.
        unsafe { (*fiber.context.get()).leave_for(&*self.root.get()) };
        self.suspend(fiber);
    }

    /// The life of the calling fiber's thread is over; returns when a new one begins.
    pub fn leave(&self, next: Next) {
        match next {
            Next::Switch(next) => self.switch(next),
            Next::Stop | Next::Continue => self.stop(),
        }
    }

    #[inline]
    fn suspend(&self, fiber: &Fiber) {
        // SAFETY: set when the fiber first ran, and valid while its coroutine lives.
        unsafe { (*fiber.yielder.get()).suspend(()) };
        self.entered(fiber);
    }

    /// Called on the fiber's stack whenever it goes on.
    #[inline]
    fn entered(&self, fiber: &Fiber) {
        // SAFETY: see `run`. The root's stack bounds come from the first switch away from it.
        unsafe {
            let root = &mut *self.root.get();
            let context = &mut *fiber.context.get();
            if root.has_bounds() { context.entered() } else { context.entered_from(root) }
        }
    }
}
