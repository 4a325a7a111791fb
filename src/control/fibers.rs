//! The engine `fibers`: every virtual thread is a stackful fiber, all on one OS thread.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;

use super::active::Active;
use super::controller::Next;
use super::sanitizer::Context;
use super::stack::{Stack, Switcher};
use super::virtual_thread::{Ambient, AmbientPlace, VirtualThread};
use crate::model::execution::ThreadId;
use crate::model::limits::MAX_VIRTUAL_THREADS;

/// Address space of one stack, as much as threads have by default; pages are used as they are touched.
const STACK_SIZE: usize = 8 << 20;

/// The fiber of one virtual thread. It runs one thread's life after the other, one each execution.
struct Fiber {
    stack: Stack,
    context: UnsafeCell<Context>,
    /// What C and C++ keep per thread, while the fiber does not run.
    ambient: Cell<Ambient>,
}

pub(super) struct Fibers {
    // Index: thread. Never grows past its first capacity, never shrinks.
    fibers: UnsafeCell<Vec<Fiber>>,
    running: Cell<ThreadId>,
    switcher: Switcher,
    root: UnsafeCell<Context>,
    place: AmbientPlace,
    /// For new fibers.
    active: Cell<*const Active>,
}

impl Fibers {
    pub fn new() -> Self {
        let place = AmbientPlace::of_this_thread();
        place.is_of_fibers();
        Self {
            fibers: UnsafeCell::new(Vec::with_capacity(MAX_VIRTUAL_THREADS)),
            running: Cell::new(0),
            switcher: Switcher::new(),
            root: UnsafeCell::new(Context::of_this_thread()),
            place,
            active: Cell::new(std::ptr::null()),
        }
    }

    #[inline]
    pub fn launch(&self, active: &Active, thread: &VirtualThread) {
        self.active.set(active);
        // SAFETY: the borrow ends within this function, which does not switch.
        let fibers = unsafe { &mut *self.fibers.get() };
        while fibers.len() <= usize::from(thread.id) {
            fibers.push(self.make(fibers.len()));
        }
        let fiber = &fibers[usize::from(thread.id)];
        fiber.ambient.set(Ambient::FRESH);
        thread.stack.set(fiber.stack.bounds());
        if thread.id == 0 {
            // What `main` shares with its threads often lies there.
            let (low, high) = fiber.stack.bounds();
            active.ask(|controller| controller.lies_still(low..high));
        }
    }

    fn make(&self, number: usize) -> Fiber {
        let stack = Stack::new(number, STACK_SIZE, live, self.address());
        let stack = stack.expect("no address space for another fiber's stack");
        let context = UnsafeCell::new(Context::of_fiber(stack.bounds()));
        Fiber { stack, context, ambient: Cell::new(Ambient::FRESH) }
    }

    /// Ends the life of a thread that is in the middle of something: its stack is used anew, and what lives there is
    /// never destroyed.
    pub fn abandon(&self, thread: &VirtualThread) {
        let fiber = self.fiber(thread.id);
        // SAFETY: called by the root, when no fiber runs; the root's own context, see `run`.
        unsafe { (*fiber.context.get()).abandon(&mut *self.root.get(), thread.address()) };
        fiber.stack.renew(live, self.address());
        // SAFETY: called by the root, when no fiber runs.
        unsafe { *fiber.context.get() = Context::of_fiber(fiber.stack.bounds()) };
    }

    fn address(&self) -> *const c_void {
        std::ptr::from_ref(self).cast()
    }

    #[inline]
    fn fiber(&self, id: ThreadId) -> &Fiber {
        // SAFETY: entries are never moved (the capacity is never exceeded) or removed.
        unsafe { &*(*self.fibers.get()).as_ptr().add(usize::from(id)) }
    }

    #[inline]
    pub fn run(&self) {
        let ambient = self.place.load();
        self.running.set(0);
        let first = self.fiber(0);
        self.place.store(first.ambient.get());
        // SAFETY: the contexts are touched by the code that runs on their stack, or is about to. All fibers but the
        // running one stand still.
        unsafe {
            (*self.root.get()).leave_for(&*first.context.get());
            self.switcher.enter(&first.stack);
            (*self.root.get()).entered();
        }
        self.place.store(ambient);
    }

    #[inline(always)]
    pub fn switch(&self, next: ThreadId) {
        let me = self.running.get();
        if next == me {
            return;
        }
        self.running.set(next);
        let (fiber, other) = (self.fiber(me), self.fiber(next));
        fiber.ambient.set(self.place.load());
        self.place.store(other.ambient.get());
        // SAFETY: see `run`; these are two different contexts, and the first is that of the running fiber.
        unsafe {
            (*fiber.context.get()).leave_for(&*other.context.get());
            self.switcher.switch(&fiber.stack, &other.stack);
        }
        self.entered(fiber);
    }

    pub fn stack_pointer(&self, id: ThreadId) -> usize {
        self.fiber(id).stack.stands_at()
    }

    pub fn place_of_stack_pointer(&self, id: ThreadId) -> usize {
        self.fiber(id).stack.place_of_pointer()
    }

    /// Leaves for the root. A fiber that has not ended never comes back from this.
    #[inline(always)]
    pub fn stop(&self) {
        let fiber = self.fiber(self.running.get());
        // SAFETY: see `run`.
        unsafe {
            (*fiber.context.get()).leave_for(&*self.root.get());
            self.switcher.leave(&fiber.stack);
        }
        self.entered(fiber);
    }

    /// The life of the calling fiber's thread is over; returns when a new one begins.
    #[inline(always)]
    pub fn leave(&self, next: Next) {
        match next {
            Next::Switch(next) => self.switch(next),
            Next::Stop | Next::Continue => self.stop(),
        }
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

/// What a fiber does, first and last: one life after the other.
///
/// # Safety
/// `fibers` are those that the calling one, which was just switched to, belongs to.
unsafe extern "C" fn live(fibers: *const c_void) -> ! {
    // SAFETY: they and `active` live as long as the process.
    let (fibers, active) = unsafe {
        let fibers = &*fibers.cast::<Fibers>();
        (fibers, &*fibers.active.get())
    };
    let id = fibers.running.get();
    fibers.entered(fibers.fiber(id));
    loop {
        active.live(active.engine.thread(id));
    }
}
