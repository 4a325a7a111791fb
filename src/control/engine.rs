//! How virtual threads run: on fibers, or on OS threads of which one is released at a time.

use std::cell::{Cell, UnsafeCell};

use super::active::Active;
use super::controller::Next;
use super::fibers::Fibers;
use super::os_threads::OsThreads;
use super::virtual_thread::VirtualThread;
use crate::model::execution::ThreadId;
use crate::model::limits::MAX_VIRTUAL_THREADS;

/// Handles are this far apart: like addresses, they are not all odd or small.
const HANDLE_STEP: libc::pthread_t = 1 << 12;

pub(super) struct Engine {
    // Never grows past its first capacity and never shrinks, so references into the boxes stay valid.
    #[expect(clippy::vec_box, reason = "the addresses are handed to the target")]
    threads: UnsafeCell<Vec<Box<VirtualThread>>>,
    carrier: Carrier,
    /// From the lowest address of a stack to the end of the highest.
    stacks: Cell<(usize, usize)>,
}

enum Carrier {
    Fibers(Fibers),
    OsThreads(OsThreads),
}

impl Engine {
    pub fn fibers() -> Self {
        Self::new(Carrier::Fibers(Fibers::new()))
    }

    pub fn os_threads() -> Self {
        Self::new(Carrier::OsThreads(OsThreads::new()))
    }

    fn new(carrier: Carrier) -> Self {
        Self {
            threads: UnsafeCell::new(Vec::with_capacity(MAX_VIRTUAL_THREADS)),
            carrier,
            stacks: Cell::new((usize::MAX, 0)),
        }
    }

    pub fn has_fibers(&self) -> bool {
        matches!(self.carrier, Carrier::Fibers(_))
    }

    /// The virtual thread of that number, made on first use and used again by later executions.
    #[inline]
    pub fn thread(&self, id: ThreadId) -> &VirtualThread {
        // SAFETY: only the one running virtual thread, or the root, comes here; the borrow ends before
        // anything can switch, and the boxes are never dropped or moved.
        let threads = unsafe { &*self.threads.get() };
        match threads.get(usize::from(id)) {
            // SAFETY: the box's content outlives the vector's borrow, see above.
            Some(thread) => unsafe { &*std::ptr::from_ref::<VirtualThread>(thread) },
            None => self.make_threads(id),
        }
    }

    /// Makes the threads up to that number, and gives the last one.
    #[cold]
    fn make_threads(&self, id: ThreadId) -> &VirtualThread {
        // SAFETY: as in `thread`.
        let threads = unsafe { &mut *self.threads.get() };
        while threads.len() <= usize::from(id) {
            threads.push(VirtualThread::new(threads.len() as ThreadId));
        }
        self.thread(id)
    }

    /// Gives a prepared thread what it runs on. It does not run yet.
    #[inline]
    pub fn launch(&self, active: &Active, thread: &VirtualThread) {
        match &self.carrier {
            Carrier::Fibers(fibers) => fibers.launch(active, thread),
            Carrier::OsThreads(threads) => threads.launch(active, thread),
        }
    }

    /// Called by the root: runs the launched thread 0 and all that it starts, until the execution is over.
    #[inline]
    pub fn run(&self, active: &Active) {
        match &self.carrier {
            Carrier::Fibers(fibers) => fibers.run(),
            Carrier::OsThreads(threads) => threads.run(active),
        }
    }

    /// The calling thread stands aside for `thread`, and returns when it is its turn again.
    #[inline(always)]
    pub fn switch(&self, thread: ThreadId) {
        match &self.carrier {
            Carrier::Fibers(fibers) => fibers.switch(thread),
            Carrier::OsThreads(threads) => threads.switch(thread),
        }
    }

    /// The execution is over although the calling thread is not: it never goes on.
    pub fn stop(&self) {
        match &self.carrier {
            Carrier::Fibers(fibers) => fibers.stop(),
            Carrier::OsThreads(threads) => threads.stop(),
        }
    }

    /// The thread runs on its stack.
    pub fn note_stack(&self, thread: &VirtualThread) {
        let ((first, end), (lowest, highest)) = (thread.stack.get(), self.stacks.get());
        self.stacks.set((first.min(lowest), end.max(highest)));
    }

    /// `false` if an address is on no thread's stack.
    #[inline]
    pub fn may_be_on_a_stack(&self, address: usize) -> bool {
        let (lowest, highest) = self.stacks.get();
        (lowest..highest).contains(&address)
    }

    /// Where a thread stands on its stack that does not run; 0 if that is not known.
    pub fn stack_pointer(&self, thread: &VirtualThread) -> usize {
        match &self.carrier {
            Carrier::Fibers(fibers) => fibers.stack_pointer(thread.id),
            Carrier::OsThreads(threads) => threads.stack_pointer(thread.id),
        }
    }

    /// Where the stack pointer of a fiber is kept that does not run, for debuggers; 0 if it is none or that is not known.
    pub fn place_of_stack_pointer(&self, thread: &VirtualThread) -> usize {
        match &self.carrier {
            Carrier::Fibers(fibers) => fibers.place_of_stack_pointer(thread.id),
            Carrier::OsThreads(_) => 0,
        }
    }

    /// Once a virtual thread has ended and is joined: ends what carried it.
    #[inline]
    pub fn join(&self, thread: &VirtualThread) {
        if let Carrier::OsThreads(threads) = &self.carrier {
            threads.join(thread);
            thread.stack.set((0, 0)); // From here on anything may lie there.
        }
    }

    /// Nobody will join this thread.
    pub fn detach(&self, thread: &VirtualThread) {
        if let Carrier::OsThreads(threads) = &self.carrier {
            threads.detach(thread);
        }
    }

    /// The `pthread_t` by which the target knows a thread. Not an address, since what hashes it would behave
    /// differently in each process.
    pub fn handle(&self, thread: &VirtualThread) -> libc::pthread_t {
        (libc::pthread_t::from(thread.id) + 1) * HANDLE_STEP
    }

    /// The number of the thread with that handle, if it is one.
    pub fn thread_of(&self, handle: libc::pthread_t) -> Option<ThreadId> {
        let number = (handle / HANDLE_STEP).checked_sub(1).filter(|_| handle.is_multiple_of(HANDLE_STEP))?;
        ThreadId::try_from(number).ok()
    }

    /// Called by the root, after an execution that ended with `thread` in the middle of something: makes it as new.
    /// `false` if that cannot be done.
    pub fn abandon(&self, thread: &VirtualThread) -> bool {
        match &self.carrier {
            Carrier::Fibers(fibers) => {
                fibers.abandon(thread);
                true
            }
            Carrier::OsThreads(threads) => threads.abandon(thread),
        }
    }

    /// The calling thread has ended.
    #[inline(always)]
    pub fn leave(&self, next: Next) {
        match &self.carrier {
            Carrier::Fibers(fibers) => fibers.leave(next),
            Carrier::OsThreads(threads) => threads.leave(next),
        }
    }
}
