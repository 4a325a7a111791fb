//! What belongs to one virtual thread besides its place in the controller: what it runs, and the state
//! that C and C++ keep per thread.

use std::cell::{Cell, UnsafeCell};
use std::ffi::{c_int, c_uint, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::sanitizer::{self, Fences};
use super::state::specific::Specific;
use super::state::thread_locals::{self, ThreadLocals};
use crate::model::execution::ThreadId;
use crate::model::settings::Sanitizer;

pub(super) type PosixStart = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;
pub(super) type CStart = unsafe extern "C-unwind" fn(*mut c_void) -> c_int;

/// The first function of a thread.
#[derive(Clone, Copy)]
pub(super) enum Start {
    Posix(PosixStart),
    /// C11's.
    C11(CStart),
}

unsafe extern "C-unwind" {
    /// cpp/control/thread_exit.cpp: runs `start`, an [`CStart`] if so said, and returns its result, or that of
    /// `pthread_exit`.
    fn threadbare_run_thread(
        start: *mut c_void,
        argument: *mut c_void,
        is_c11: c_int,
        place: *mut *mut c_void,
    ) -> *mut c_void;
}

/// Lives as long as the process and is used again by later executions. Its address is the thread's
/// `pthread_t` under the engine `fibers`, what its joiners wait for, and what TSan is told orders its
/// start and end.
pub(super) struct VirtualThread {
    pub id: ThreadId,
    pub start: Cell<Option<Start>>,
    pub argument: Cell<*mut c_void>,
    pub result: Cell<*mut c_void>,
    /// Joined or detached: nobody may join it any more.
    pub released: Cell<bool>,
    /// Nobody will join it.
    pub detached: Cell<bool>,
    /// The thread that carries it, under the engine `threads`.
    pub os_thread: Cell<libc::pthread_t>,
    /// The addresses of its stack, from the first to the one after the last.
    pub stack: Cell<(usize, usize)>,
    /// It has begun and not ended.
    pub alive: Cell<bool>,
    pub locals: UnsafeCell<ThreadLocals>,
    pub specific: Specific,
    /// What cpp/control/thread_exit.cpp ends it by.
    pub exit_place: Cell<*mut c_void>,
    pub fences: Fences,
    /// Random numbers that it drew; see `hooks::random`.
    pub drawn: Cell<u64>,
    /// `std::__once_callable` and `std::__once_call` of code on a fiber; see `thread_local`.
    pub once: [Cell<*mut c_void>; 2],
    /// What they were when a routine that has not returned was called with them.
    pub once_handed_over: Cell<[*mut c_void; 2]>,
}

impl VirtualThread {
    pub fn new(id: ThreadId) -> Box<Self> {
        Box::new(Self {
            id,
            start: Cell::new(None),
            argument: Cell::new(std::ptr::null_mut()),
            result: Cell::new(std::ptr::null_mut()),
            released: Cell::new(false),
            detached: Cell::new(false),
            os_thread: Cell::new(0),
            stack: Cell::new((0, 0)),
            alive: Cell::new(false),
            locals: UnsafeCell::new(ThreadLocals::new()),
            specific: Specific::new(),
            exit_place: Cell::new(std::ptr::null_mut()),
            fences: Fences::new(),
            drawn: Cell::new(0),
            once: [const { Cell::new(std::ptr::null_mut()) }; 2],
            once_handed_over: Cell::new([std::ptr::null_mut(); 2]),
        })
    }

    /// Makes it ready to run `start(argument)`.
    pub fn prepare(&self, start: Start, argument: *mut c_void) {
        self.start.set(Some(start));
        self.argument.set(argument);
        self.result.set(std::ptr::null_mut());
        self.released.set(false);
        self.stack.set((0, 0));
        self.detached.set(false);
        self.specific.clear();
        self.drawn.set(0);
        // Its last life may have ended in the middle of a routine.
        self.once.iter().for_each(|copy| copy.set(std::ptr::null_mut()));
        self.once_handed_over.set([std::ptr::null_mut(); 2]);
    }

    /// Runs what it was made ready for, on its own stack.
    ///
    /// # Safety
    /// As the function that was given to `prepare` asks of its caller.
    pub unsafe fn run(&self) {
        let (start, is_c11) = match self.start.get().expect("prepared before it is switched to") {
            Start::Posix(start) => (start as *mut c_void, 0),
            Start::C11(start) => (start as *mut c_void, 1),
        };
        // SAFETY: the caller's promise.
        let result = unsafe { threadbare_run_thread(start, self.argument.get(), is_c11, self.exit_place.as_ptr()) };
        self.result.set(result);
    }

    /// Its thread-local variables, whose destructors have run, are gone: it was joined, or has ended detached.
    ///
    /// Nobody else may get their addresses as long as threads live that began before this: those have their storage from
    /// the start on a real machine, here on first use. AddressSanitizer keeps what is freed from being used again; otherwise
    /// they are freed with the execution.
    pub fn retire_locals(&self) {
        if sanitizer::loaded() == Sanitizer::Address {
            self.free_locals();
        }
    }

    /// Frees its thread-local variables. It is the calling thread, or has ended.
    pub fn free_locals(&self) {
        // SAFETY: nobody else uses them, and no reference to them is held.
        unsafe { thread_locals::free(self.locals.get()) };
    }

    /// Whether it ended by `pthread_exit` rather than by a return.
    pub fn has_exited(&self) -> bool {
        !self.exit_place.get().is_null()
    }

    #[inline]
    pub fn has_on_stack(&self, address: usize) -> bool {
        let (first, end) = self.stack.get();
        (first..end).contains(&address)
    }

    /// Whether an address is of a part of this.
    pub fn holds(&self, address: usize) -> bool {
        (self.address()..self.address() + size_of::<Self>()).contains(&address)
    }

    /// What orders its start, its end and its joining.
    pub fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }
}

/// State that libraries keep in thread_local variables of their own, which fibers of one OS thread would
/// share: it is put aside when a fiber stops and put back when it goes on.
#[derive(Clone, Copy)]
pub(super) struct Ambient {
    caught_exceptions: *mut c_void,
    uncaught_exceptions: c_uint,
    errno: c_int,
}

#[repr(C)]
struct ExceptionGlobals {
    caught_exceptions: *mut c_void,
    uncaught_exceptions: c_uint,
}

unsafe extern "C" {
    fn __cxa_get_globals() -> *mut ExceptionGlobals;
}

/// Where the `errno` of fibers lies: that of their OS thread, whose value moves with the fiber. Compilers look up the place
/// once for a whole function, and libc writes to it, so there can be no other.
static ERRNO: AtomicUsize = AtomicUsize::new(0);

/// Whether an address is that of the `errno` of fibers.
#[inline]
pub(super) fn is_errno(address: usize) -> bool {
    address == ERRNO.load(Ordering::Relaxed)
}

/// Where this OS thread keeps its ambient state; looked up once.
#[derive(Clone, Copy)]
pub(super) struct AmbientPlace {
    exceptions: *mut ExceptionGlobals,
    errno: *mut c_int,
}

impl Ambient {
    /// That of a thread that has just begun.
    pub const FRESH: Self = Self { caught_exceptions: std::ptr::null_mut(), uncaught_exceptions: 0, errno: 0 };
}

impl AmbientPlace {
    pub fn of_this_thread() -> Self {
        // SAFETY: these return the addresses of thread-local variables, valid while this OS thread lives.
        unsafe { Self { exceptions: __cxa_get_globals(), errno: libc::__errno_location() } }
    }

    /// Fibers run here from now on.
    pub fn is_of_fibers(&self) {
        let place = self.errno as usize;
        if ERRNO.swap(place, Ordering::Relaxed) != place {
            sanitizer::expect_races(place, size_of::<c_int>());
        }
    }

    pub fn load(&self) -> Ambient {
        // SAFETY: the places are those of this OS thread, on which all fibers run.
        unsafe {
            Ambient {
                caught_exceptions: (*self.exceptions).caught_exceptions,
                uncaught_exceptions: (*self.exceptions).uncaught_exceptions,
                errno: *self.errno,
            }
        }
    }

    pub fn store(&self, ambient: Ambient) {
        // SAFETY: as `load`.
        unsafe {
            (*self.exceptions).caught_exceptions = ambient.caught_exceptions;
            (*self.exceptions).uncaught_exceptions = ambient.uncaught_exceptions;
            *self.errno = ambient.errno;
        }
    }
}
