//! What fences order, told to ThreadSanitizer, which takes no notice of them.
//!
//! A release fence makes the thread's later stores, whatever their order, release what came before the fence; an acquire
//! fence acquires what the thread's earlier loads have read. So each thread has two clocks besides its own, as in the
//! operational models of C11 (Kang et al., "A promising semantics for relaxed-memory concurrency", POPL 2017, 3.2). They
//! are those of two fibers of TSan's that run nothing: one acquires each location that is loaded, the other releases
//! each location that is stored to. Both are exact where every load reads the newest store.

use std::cell::Cell;
use std::ffi::c_void;

use super::{NO_SYNC, acquire, interface, release};

/// The clocks of one virtual thread. What earlier executions left in them happened before whatever comes now.
pub struct Fences {
    /// What loads have read, for the next acquire fence.
    read: Clock,
    /// What the last release fence saw, for the stores after it.
    released: Clock,
}

struct Clock {
    /// A fiber of TSan's, made on first use, by the thread itself: TSan orders it after what its maker did.
    fiber: Cell<*mut c_void>,
}

impl Clock {
    const fn new() -> Self {
        Self { fiber: Cell::new(std::ptr::null_mut()) }
    }

    fn is_new(&self) -> bool {
        self.fiber.get().is_null()
    }

    /// A name for what passes between the thread and this clock.
    fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// Does something in the name of this clock.
    fn stand_in(&self, act: impl FnOnce()) {
        let interface = interface();
        let (Some(current), Some(create), Some(switch)) =
            (interface.current_fiber, interface.create_fiber, interface.switch_to_fiber)
        else {
            return;
        };
        // SAFETY: fibers of TSan that live, of which this OS thread leaves one for the other and comes back; no code of
        // the program runs meanwhile.
        unsafe {
            if self.is_new() {
                self.fiber.set(create(0));
            }
            let thread = current();
            switch(self.fiber.get(), NO_SYNC);
            act();
            switch(thread, NO_SYNC);
        }
    }
}

impl Fences {
    pub const fn new() -> Self {
        Self { read: Clock::new(), released: Clock::new() }
    }

    /// The thread loads, without acquiring.
    pub fn load(&self, location: usize) {
        self.read.stand_in(|| acquire(location));
    }

    /// The thread stores, without releasing.
    pub fn store(&self, location: usize) {
        if !self.released.is_new() {
            self.released.stand_in(|| release(location));
        }
    }

    pub fn acquire_fence(&self) {
        if !self.read.is_new() {
            self.read.stand_in(|| release(self.read.address()));
            acquire(self.read.address());
        }
    }

    pub fn release_fence(&self) {
        release(self.released.address());
        self.released.stand_in(|| acquire(self.released.address()));
    }
}
