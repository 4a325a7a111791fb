//! Switches by way of the root, with corosensei.

use std::cell::Cell;
use std::ffi::c_void;
use std::io;

use corosensei::stack::{DefaultStack, Stack as _};
use corosensei::{Coroutine, Yielder};

use super::Entry;

type Fiber = Coroutine<(), (), (), DefaultStack>;

pub struct Stack {
    bounds: (usize, usize),
    // A pointer, because it is resumed by the root while the fiber uses the rest.
    fiber: Cell<*mut Fiber>,
    yielder: Box<Cell<*const Yielder<(), ()>>>,
}

pub struct Switcher {
    /// What the root resumes; null to return.
    next: Cell<*mut Fiber>,
}

impl Stack {
    /// The stack with that number, of so many bytes, on which `entry(argument)` is called when it is first switched to.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn new(_number: usize, size: usize, entry: Entry, argument: *const c_void) -> io::Result<Self> {
        let memory = DefaultStack::new(size)?;
        let bounds = (memory.limit().get(), memory.base().get());
        let yielder = Box::new(Cell::new(std::ptr::null()));
        let stack = Self { bounds, fiber: Cell::new(std::ptr::null_mut()), yielder };
        stack.begin(memory, entry, argument);
        Ok(stack)
    }

    /// From its lowest address to the one after its highest.
    pub fn bounds(&self) -> (usize, usize) {
        self.bounds
    }

    /// What lies on top of it is not ours to tell.
    pub fn place_of_pointer(&self) -> usize {
        0
    }

    /// The stack pointer, while it stands still; 0, since corosensei does not tell.
    pub fn stands_at(&self) -> usize {
        0
    }

    /// Makes it as new, whatever stood on it. It must not run.
    pub fn renew(&self, entry: Entry, argument: *const c_void) {
        // SAFETY: made by `begin`; nothing on its stack belongs to us but the closure, which owns nothing.
        let memory = unsafe {
            let mut fiber = Box::from_raw(self.fiber.get());
            fiber.force_reset();
            fiber.into_stack()
        };
        self.begin(memory, entry, argument);
    }

    fn begin(&self, memory: DefaultStack, entry: Entry, argument: *const c_void) {
        let place = std::ptr::from_ref::<Cell<_>>(&self.yielder);
        let fiber = Coroutine::with_stack(memory, move |yielder: &Yielder<(), ()>, ()| {
            // SAFETY: the place outlives the fiber, and the entry takes this argument.
            unsafe {
                (*place).set(yielder);
                entry(argument)
            }
        });
        self.fiber.set(Box::into_raw(Box::new(fiber)));
    }

    fn suspend(&self) {
        // SAFETY: set when the fiber first ran, and valid while it lives.
        unsafe { (*self.yielder.get()).suspend(()) };
    }
}

impl Switcher {
    pub fn new() -> Self {
        Self { next: Cell::new(std::ptr::null_mut()) }
    }

    /// Called by the root: goes on with that stack. Returns when one of them leaves for the root.
    ///
    /// # Safety
    /// The stack lives and stands still; so for the stack that is switched to below. `from` is the caller's.
    pub unsafe fn enter(&self, stack: &Stack) {
        self.next.set(stack.fiber.get());
        // SAFETY: the caller's promise: a live coroutine that is suspended or new.
        while let Some(fiber) = unsafe { self.next.get().as_mut() } {
            fiber.resume(());
        }
    }

    /// Goes on with another stack; returns when this one is switched to.
    ///
    /// # Safety
    /// See `enter`.
    #[inline]
    pub unsafe fn switch(&self, from: &Stack, to: &Stack) {
        self.next.set(to.fiber.get());
        from.suspend();
    }

    /// Goes on with the root.
    ///
    /// # Safety
    /// See `enter`.
    #[inline]
    pub unsafe fn leave(&self, from: &Stack) {
        self.next.set(std::ptr::null_mut());
        from.suspend();
    }
}
