//! The execution under control on this OS thread, as the hooks see it.

mod logged;
mod place;
mod signals;

pub(super) use signals::information;

use std::cell::{Cell, OnceCell, RefCell, UnsafeCell};
use std::ffi::{c_int, c_void};

use super::controller::{Controller, Next, Wake};
use super::debugger;
use super::engine::Engine;
use super::image::Image;
use super::log::Log;
use super::order;
use super::sanitizer;
use super::state::exit_handlers::ExitHandlers;
use super::state::thread_locals::{self, ThreadLocals};
use super::virtual_thread::{Start, VirtualThread};
use crate::model::execution::{Ending, Exit, ThreadId};
use crate::model::op::{Op, OpKind};
use crate::model::schedule::Injection;
use crate::strategy::Use;

/// The execution that the calling thread is part of, if it is controlled.
#[inline(always)]
pub(super) fn active() -> Option<&'static Active> {
    // SAFETY: set only to an `Active` of a session, which is never freed.
    unsafe { place::get().cast::<Active>().as_ref() }
}

/// Says that this OS thread runs virtual threads of `active` from here on, or none.
pub(super) fn set_active(active: *const Active) {
    place::set(active.cast());
}

/// Where the calling OS thread keeps the execution that it is part of.
pub(super) fn active_place() -> usize {
    place::address()
}

/// Controller and engine together. Exactly one virtual thread runs at a time, and only it, or the root
/// between executions, touches these.
pub(super) struct Active {
    controller: UnsafeCell<Controller>,
    pub engine: Engine,
    /// Allocations of the target in this execution, and which of them fails; 0 for none.
    allocations: Cell<u64>,
    failing_allocation: Cell<u64>,
    /// The weak compare-exchange whose point was just passed fails.
    pub fails_weakly: Cell<bool>,
    /// The program under check, if that is what is executed.
    pub image: OnceCell<Image>,
    log: OnceCell<Log>,
    pub exit_handlers: ExitHandlers,
    pub quick_exit_handlers: ExitHandlers,
    /// `main` returned, so that the end of thread 0 is that of the program.
    main_exit: RefCell<Option<Exit>>,
}

impl Active {
    pub fn new(controller: Controller, engine: Engine) -> Self {
        let (allocations, failing_allocation) = (Cell::new(0), Cell::new(0));
        Self {
            controller: UnsafeCell::new(controller),
            engine,
            allocations,
            failing_allocation,
            fails_weakly: Cell::new(false),
            image: OnceCell::new(),
            log: OnceCell::new(),
            exit_handlers: ExitHandlers::default(),
            quick_exit_handlers: ExitHandlers::default(),
            main_exit: RefCell::default(),
        }
    }

    /// Counts allocations from 0 on, of which that one fails.
    #[inline]
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
    ///
    /// Inlined with all that it calls, since after a switch the processor mispredicts returns.
    #[inline(always)]
    fn follow(&self, next: Next) {
        match next {
            Next::Continue => {}
            Next::Switch(thread) => self.engine.switch(thread),
            Next::Stop => self.end_here(),
        }
    }

    /// The calling thread goes no further, and nobody else does.
    #[cold]
    fn end_here(&self) {
        debugger::end(self);
        self.engine.stop();
    }

    /// The calling thread passes a scheduling point, before an operation on `object` (an address, or 0); others may run
    /// before this returns.
    #[inline(always)]
    pub fn pass(&self, kind: OpKind, object: usize) {
        self.pass_at(kind, object, 0);
    }

    /// As `pass`, where a place in the code is known.
    #[inline(always)]
    pub fn pass_at(&self, kind: OpKind, object: usize, place: usize) {
        self.pass_op(Op { place, ..Op::new(kind, object) });
    }

    /// As `pass`, before an operation that waits until the lock is free or the thread has ended, however long that takes.
    #[inline(always)]
    pub fn pass_waiting(&self, kind: OpKind, object: usize) {
        self.pass_op(Op { waits: true, ..Op::new(kind, object) });
    }

    #[inline(always)]
    pub fn pass_op(&self, op: Op) {
        if self.count(op.kind) {
            self.pause(op.kind, op.waits, op.size, op.object, op.place);
        }
    }

    /// Tells a search of all executions what the step of the calling thread does besides.
    #[inline(always)]
    pub fn report(&self, how: Use) {
        self.ask(|controller| controller.report(how));
    }

    /// Counts a point; whether `pause` must be called, by which others may run.
    #[inline(always)]
    pub fn count(&self, kind: OpKind) -> bool {
        self.ask(|controller| controller.count(kind))
    }

    /// As `pass_op`, inlined for the same reason as `follow`: for the operations that are met most.
    #[inline(always)]
    pub fn pass_often(&self, op: Op) {
        if self.count(op.kind) {
            self.pause_here(op);
        }
    }

    /// The rest of a point, apart from `count`, which stays small.
    #[inline(never)]
    fn pause(&self, kind: OpKind, waits: bool, size: u32, object: usize, place: usize) {
        self.pause_here(Op { kind, waits, size, object, place });
    }

    #[inline(always)]
    pub fn pause_here(&self, op: Op) {
        let next = self.ask(|controller| controller.decide(op.kind, op.waits, op.size, op.object, op.place));
        self.follow(next);
        if self.is_any_signal_due() {
            self.pause_after_signals(op);
        }
        // Now the operation is made, after those of the threads that ran in between.
        if self.ask(|controller| controller.is_logging()) {
            self.log(op.kind, (op.object, op.size as usize));
        }
    }

    /// The execution is over; the reason is known.
    #[cold]
    pub fn stop(&self) -> ! {
        self.follow(Next::Stop);
        unreachable!("a stopped execution goes on")
    }

    /// The calling thread waits for `object`, at most until `deadline` (virtual nanoseconds). Handlers of signals may run
    /// meanwhile.
    #[inline(never)]
    pub fn block(&self, object: usize, primitive: &'static str, deadline: Option<u64>) -> Wake {
        loop {
            let wake = self.block_interruptibly(object, primitive, deadline);
            if matches!(wake, Wake::Notified | Wake::TimedOut) {
                return wake;
            }
        }
    }

    /// As `block`, but the handler of a signal ends the wait.
    #[inline(always)]
    pub fn block_interruptibly(&self, object: usize, primitive: &'static str, deadline: Option<u64>) -> Wake {
        loop {
            let next = self.ask(|controller| controller.block(object, primitive, deadline));
            self.follow(next);
            let wake = self.ask(|controller| controller.wake());
            if wake == Wake::Notified && order::is_on() {
                order::catch_up();
                self.report(Use::Changed(order::woken()));
            }
            let wake = if self.is_any_signal_due() { self.wake_after_signals(wake) } else { Some(wake) };
            if let Some(wake) = wake {
                return wake;
            }
        }
    }

    /// The target called something that is not emulated: the execution ends here and says so.
    pub fn refuse(&self, what: &str) -> ! {
        let name = {
            let _unwatched = sanitizer::Unwatched::begin();
            what.to_owned()
        };
        let next = self.ask(|controller| controller.stop(Ending::Unsupported(name)));
        self.follow(next);
        unreachable!("a stopped execution goes on")
    }

    /// The target called a primitive in a way that its standard leaves undefined: the execution ends here and says so.
    #[cold]
    pub fn misuse(&self, primitive: &'static str, how: &'static str) -> ! {
        let next = self.ask(|controller| controller.misuse(primitive, how));
        self.follow(next);
        unreachable!("a stopped execution goes on")
    }

    /// As `misuse`, of an object whose memory is gone.
    #[cold]
    pub fn dangling(&self, primitive: &'static str, how: &'static str) -> ! {
        let next = self.ask(|controller| controller.dangling(primitive, how));
        self.follow(next);
        unreachable!("a stopped execution goes on")
    }

    /// Whether what the calling thread is about to do, at the point that it has just passed, goes wrong in this way.
    #[inline(always)]
    pub fn inject(&self, injection: Injection) -> bool {
        self.ask(|controller| controller.allows(injection)) && self.inject_allowed(injection)
    }

    #[cold]
    fn inject_allowed(&self, injection: Injection) -> bool {
        let _unwatched = sanitizer::Unwatched::begin();
        self.ask(|controller| controller.inject(|option| option == injection)).is_some()
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

    /// The program under check ends itself here: no thread goes on.
    pub fn leave_program(&self, exit: Exit) -> ! {
        let next = self.ask(|controller| controller.exit(exit));
        self.follow(next);
        unreachable!("a stopped execution goes on")
    }

    /// As `leave_program`, once thread 0, which the caller is, has ended.
    pub fn exit_when_main_ends(&self, exit: Exit) {
        self.main_exit.replace(Some(exit));
    }

    #[inline]
    pub fn has_image(&self) -> bool {
        self.image.get().is_some()
    }

    /// Makes the program under check as new.
    #[inline]
    pub fn renew_image(&self) {
        self.exit_handlers.clear();
        self.quick_exit_handlers.clear();
        self.main_exit.take();
        if let Some(image) = self.image.get() {
            image.put_back();
        }
    }

    pub fn image_destructors(&self) -> &[unsafe extern "C-unwind" fn()] {
        self.image.get().map_or(&[], Image::destructors)
    }

    /// Whether an address is the calling thread's own: on its stack, or among what is kept for it, which real threads have
    /// beside their stack.
    #[inline]
    pub fn is_own(&self, address: usize) -> bool {
        let thread = self.engine.thread(self.current());
        thread.has_on_stack(address) || thread.holds(address)
    }

    /// Why the memory at an address is no object's any more, if that is known.
    #[inline(always)]
    pub fn is_gone(&self, address: usize) -> Option<&'static str> {
        if self.ask(|controller| controller.heap.as_ref().is_some_and(|heap| heap.is_free(address))) {
            return Some("on memory that was freed");
        }
        if self.engine.may_be_on_a_stack(address) { self.is_gone_from_stack(address) } else { None }
    }

    #[inline(never)]
    fn is_gone_from_stack(&self, address: usize) -> Option<&'static str> {
        let current = self.current();
        let threads = 0..self.ask(|controller| controller.thread_count());
        let thread =
            threads.into_iter().map(|id| self.engine.thread(id)).find(|thread| thread.has_on_stack(address))?;
        if !thread.alive.get() {
            // The system has unmapped that of a detached one, and something else may lie there.
            let is_there = self.engine.has_fibers() || !thread.detached.get();
            return is_there.then_some("on the stack of a thread that has ended");
        }
        let here = 0_u8;
        let at = if thread.id == current { &raw const here as usize } else { self.engine.stack_pointer(thread) };
        // A program may have stacks of its own, and run on one of them.
        (thread.has_on_stack(at) && address < at).then_some("in the frame of a function that has returned")
    }

    /// Ends the execution because the runtime recorded too much.
    pub fn too_many_events(&self) {
        let next = self.ask(|controller| controller.stop(Ending::TooManyEvents));
        self.follow(next);
    }

    /// Creates a virtual thread that will run `start(argument)`; `None` if there are too many.
    #[inline]
    pub fn spawn(&self, start: Start, argument: *mut c_void) -> Option<&VirtualThread> {
        if self.ask(|controller| controller.is_phase_with_one_thread()) {
            order::settled();
        }
        let id = self.ask(|controller| controller.add_thread())?;
        order::add_thread(id);
        let thread = {
            let _unwatched = sanitizer::Unwatched::begin();
            self.engine.thread(id)
        };
        thread.prepare(start, argument);
        order::release(thread.address());
        self.engine.launch(self, thread);
        Some(thread)
    }

    /// What a virtual thread does from its first to its last step, on its own stack. Inlined for the same reason as `follow`.
    #[inline(always)]
    pub fn live(&self, thread: &VirtualThread) {
        order::acquire(thread.address());
        thread.alive.set(true);
        self.engine.note_stack(thread);
        let (first, end) = thread.stack.get();
        order::begins(first..end);
        debugger::begun(self);
        if self.is_any_signal_due() {
            self.look_for_signals();
        }
        // SAFETY: the function and argument that were given to `pthread_create`, or ours for thread 0.
        unsafe { thread.run() };
        // SAFETY: these are the running thread's.
        unsafe { thread_locals::destroy(thread.locals.get()) };
        // A return from main runs no destructors of values.
        if thread.id != 0 || thread.has_exited() {
            let destructor_of =
                |index, generation| self.ask(|controller| controller.keys.destructor(index, generation));
            thread.specific.end(destructor_of);
        }
        self.ask(|controller| controller.signals.end_thread(thread.id));
        self.pass(OpKind::ThreadEnd, thread.address());
        let main_exit = if thread.id == 0 { self.main_exit.take() } else { None };
        let last = || self.ask(|controller| controller.all_others_ended());
        // As if the last thread called `exit(0)`.
        let exit = main_exit.or_else(|| (self.has_image() && last()).then(|| self.prepare_exit(0)));
        if thread.detached.get() {
            thread.retire_locals();
        }
        order::release(thread.address());
        thread.alive.set(false);
        let next = self.ask(|controller| {
            controller.wake_all(thread.address());
            match exit {
                Some(exit) => controller.end_program(exit),
                None => controller.end_thread(),
            }
        });
        if next == Next::Stop {
            debugger::end(self);
        }
        self.engine.leave(next);
    }

    /// What `exit` does before it ends the program: thread-local variables of the calling thread, exit handlers,
    /// destructors.
    pub fn prepare_exit(&self, status: c_int) -> Exit {
        self.pass(OpKind::Exit, 0);
        // SAFETY: the running thread's own.
        unsafe { thread_locals::destroy(self.locals()) };
        self.exit_handlers.run();
        for destructor in self.image_destructors() {
            // SAFETY: a function of the program that is to run at exit.
            unsafe { destructor() };
        }
        Exit::Status(status & 0xff)
    }

    #[inline]
    pub fn current(&self) -> ThreadId {
        self.ask(|controller| controller.current())
    }

    /// The running thread's thread-local variables.
    pub fn locals(&self) -> *mut ThreadLocals {
        self.engine.thread(self.current()).locals.get()
    }
}
