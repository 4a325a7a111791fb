//! The engine `threads`: virtual threads are real ones, and a futex hands the baton on.
//!
//! The hand-over uses Rust's atomics and the raw system call, which TSan does not see: what it takes for
//! ordered is only what the target ordered itself.

use std::cell::Cell;
use std::ffi::{c_int, c_long, c_void};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::active::{Active, active, set_active};
use super::controller::Next;
use super::real::real;
use super::sanitizer;
use super::virtual_thread::{PosixStart, VirtualThread};
use crate::model::execution::ThreadId;
use crate::model::limits::MAX_VIRTUAL_THREADS;

/// What a baton says.
const KEPT: u32 = 0;
const GIVEN: u32 = 1;
/// Whoever waits for it is never to go on.
const WITHDRAWN: u32 = 2;

/// OS threads that stand still for ever in a process: at most. Each keeps its stack and what sanitizers know of it.
const MOST_ABANDONED: u32 = 256;

/// Lets one thread go on, once.
struct Baton(AtomicU32);

impl Baton {
    const fn new() -> Self {
        Self(AtomicU32::new(KEPT))
    }

    fn give(&self) {
        self.tell(GIVEN);
    }

    fn tell(&self, word: u32) {
        self.0.store(word, Ordering::Release);
        self.futex(libc::FUTEX_WAKE, 1);
    }

    /// Waits until the baton is given; `false` if it was withdrawn.
    #[must_use]
    fn wait(&self) -> bool {
        loop {
            match self.0.swap(KEPT, Ordering::Acquire) {
                KEPT => self.futex(libc::FUTEX_WAIT, 0),
                word => return word == GIVEN,
            }
        }
    }

    fn futex(&self, operation: c_int, value: u32) {
        // SAFETY: the word is ours and aligned; the call behind the hook is libc's.
        unsafe {
            let syscall = real!(syscall: fn(c_long, *const AtomicU32, c_long, c_long, c_long) -> c_long);
            let operation = c_long::from(operation | libc::FUTEX_PRIVATE_FLAG);
            syscall(libc::SYS_futex, &raw const self.0, operation, value.into(), 0);
        }
    }
}

thread_local! {
    static ME: Cell<ThreadId> = const { Cell::new(0) };
}

pub(super) struct OsThreads {
    // Index: thread.
    batons: Box<[Baton]>,
    /// Where each thread stands on its stack, while it does not run.
    stack_pointers: Box<[AtomicUsize]>,
    root: Baton,
    abandoned: Cell<u32>,
}

/// What a new OS thread must know.
struct Birth {
    carrier: *const OsThreads,
    active: *const Active,
    thread: *const VirtualThread,
}

impl OsThreads {
    pub fn new() -> Self {
        // Threads of which one runs at a time are fastest where they share a processor's caches.
        // SAFETY: the set is a plain bit mask that the calls fill and read.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(libc::sched_getcpu().max(0) as usize, &mut set);
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
        }
        Self {
            batons: (0..MAX_VIRTUAL_THREADS).map(|_| Baton::new()).collect(),
            stack_pointers: (0..MAX_VIRTUAL_THREADS).map(|_| AtomicUsize::new(0)).collect(),
            root: Baton::new(),
            abandoned: Cell::new(0),
        }
    }

    pub fn launch(&self, active: &Active, thread: &VirtualThread) {
        let birth = Box::into_raw(Box::new(Birth { carrier: self, active, thread })).cast::<c_void>();
        let mut os_thread: libc::pthread_t = 0;
        // SAFETY: passes a function and the argument it expects on to the system.
        let error = unsafe {
            let create = real!(pthread_create: fn(*mut libc::pthread_t, *const libc::pthread_attr_t, PosixStart, *mut c_void) -> c_int);
            create(&raw mut os_thread, std::ptr::null(), be_born, birth)
        };
        if error != 0 {
            eprintln!(
                "threadbare: no OS thread for virtual thread {}: {}",
                thread.id,
                std::io::Error::from_raw_os_error(error)
            );
            std::process::exit(2);
        }
        thread.os_thread.set(os_thread);
    }

    pub fn run(&self, active: &Active) {
        self.batons[0].give();
        self.wait_as_root();
        // Those of a stopped execution that are in the middle of something never end.
        for thread in 0..active.ask(|controller| controller.thread_count()) {
            let has_ended = active.ask(|controller| controller.has_ended(thread));
            let thread = active.engine.thread(thread);
            if has_ended && !thread.released.get() {
                self.join(thread);
            }
        }
    }

    fn wait_as_root(&self) {
        let given = self.root.wait();
        debug_assert!(given, "nobody withdraws the root's");
    }

    /// The OS thread of `thread`, which waits, stands still for ever, and another one can have its number. `false` if too
    /// many do already.
    pub fn abandon(&self, thread: &VirtualThread) -> bool {
        if self.abandoned.get() == MOST_ABANDONED {
            return false;
        }
        self.abandoned.set(self.abandoned.get() + 1);
        self.batons[usize::from(thread.id)].tell(WITHDRAWN);
        // What it did comes before all that the root does from now on.
        self.wait_as_root();
        true
    }

    /// What the calling thread does when its baton was withdrawn.
    fn stand_still(&self) -> ! {
        if let Some(active) = active() {
            sanitizer::release(active.engine.thread(ME.get()).address());
        }
        self.root.give();
        let never = Baton::new();
        loop {
            never.futex(libc::FUTEX_WAIT, KEPT);
        }
    }

    /// Waits for the OS thread of an ended virtual thread.
    pub fn join(&self, thread: &VirtualThread) {
        // SAFETY: created by `launch`, not detached, and joined once (`released`).
        unsafe {
            real!(pthread_join: fn(libc::pthread_t, *mut *mut c_void) -> c_int)(
                thread.os_thread.get(),
                std::ptr::null_mut(),
            )
        };
    }

    /// Lets go of the OS thread of a virtual thread that nobody will join.
    pub fn detach(&self, thread: &VirtualThread) {
        // SAFETY: as `join`.
        unsafe { real!(pthread_detach: fn(libc::pthread_t) -> c_int)(thread.os_thread.get()) };
    }

    /// The calling OS thread waits until its virtual thread is chosen.
    fn wait_for_baton(&self) {
        if !self.batons[usize::from(ME.get())].wait() {
            self.stand_still();
        }
    }

    pub fn switch(&self, next: ThreadId) {
        let me = ME.get();
        if next != me {
            let here = 0_u8;
            self.stack_pointers[usize::from(me)].store(&raw const here as usize, Ordering::Relaxed);
            self.batons[usize::from(next)].give();
            self.wait_for_baton();
        }
    }

    pub fn stack_pointer(&self, id: ThreadId) -> usize {
        self.stack_pointers[usize::from(id)].load(Ordering::Relaxed)
    }

    pub fn stop(&self) {
        self.root.give();
        loop {
            self.wait_for_baton();
        }
    }

    pub fn leave(&self, next: Next) {
        set_active(std::ptr::null());
        match next {
            Next::Switch(next) => self.batons[usize::from(next)].give(),
            Next::Stop | Next::Continue => self.root.give(),
        }
    }
}

/// The addresses of the calling thread's stack.
fn own_stack() -> (usize, usize) {
    // SAFETY: the attributes of the calling thread, which are ours to read and destroy.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        let (mut first, mut size) = (std::ptr::null_mut(), 0);
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return (0, 0);
        }
        libc::pthread_attr_getstack(&raw const attributes, &raw mut first, &raw mut size);
        libc::pthread_attr_destroy(&raw mut attributes);
        (first as usize, first as usize + size)
    }
}

/// The first function of every OS thread.
unsafe extern "C-unwind" fn be_born(birth: *mut c_void) -> *mut c_void {
    // SAFETY: `launch` made it, for this thread alone; what it points to lives as long as the process.
    let (carrier, active, thread) = unsafe {
        let birth = Box::from_raw(birth.cast::<Birth>());
        (&*birth.carrier, &*birth.active, &*birth.thread)
    };
    ME.set(thread.id);
    thread.stack.set(own_stack());
    carrier.wait_for_baton();
    set_active(active);
    active.live(thread);
    thread.result.get()
}
