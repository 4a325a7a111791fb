//! What a debugger is told of an execution: where it stops, and who was there at each stop.
//!
//! The debugger's extension (`campaign/debug/threadbare.py`) finds [`THREADBARE_DEBUGGER`] by its name, reads it as words
//! of 8 bytes, writes where to stop next, and has a breakpoint at [`threadbare_debugger_stop`].

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::active::{Active, active_place};
use super::sanitizer;
use crate::model::execution::Ending;
use crate::model::limits::MAX_VIRTUAL_THREADS;
use crate::model::op::OpKind;

/// That of the extension; both change together.
const VERSION: u64 = 1;
/// Why it stopped.
const AT_STEP: u64 = 1;
const AT_END: u64 = 2;
/// What becomes of a virtual thread.
const RUNS: u64 = 0;
const CAN_RUN: u64 = 1;
const WAITS: u64 = 2;
const ENDED: u64 = 3;
const NOT_BEGUN: u64 = 4;

/// A text of the executable's, or one that is never freed.
#[repr(C)]
struct Text {
    address: AtomicU64,
    length: AtomicU64,
}

impl Text {
    const fn empty() -> Self {
        Self { address: AtomicU64::new(0), length: AtomicU64::new(0) }
    }

    fn set(&self, text: &'static str) {
        self.address.store(text.as_ptr() as u64, Relaxed);
        self.length.store(text.len() as u64, Relaxed);
    }
}

#[repr(C)]
struct Thread {
    state: AtomicU64,
    waits_in: Text,
    /// Where the stack pointer of a fiber is kept while it stands still, at which lie its instruction pointer, `rbx` and
    /// `rbp`. 0 if it is none, or not known.
    stack_pointer: AtomicU64,
    /// The `pthread_t` that carries it, under the engine `threads`.
    os_thread: AtomicU64,
}

/// All of it, as the extension reads it.
#[repr(C)]
pub struct Debugger {
    version: AtomicU64,
    /// Somebody debugs this.
    is_on: AtomicU64,
    /// The extension's: stop before this step is made, or when another thread goes on.
    stop_at: AtomicU64,
    stop_at_switch: AtomicU64,
    /// Steps that were made before the one that is stopped at.
    step: AtomicU64,
    why: AtomicU64,
    /// Who made the last step, and where the number of the thread that runs lies.
    thread: AtomicU64,
    current: AtomicU64,
    /// The number of the kind of the operation.
    operation: AtomicU64,
    ending: Text,
    /// Where the running OS thread keeps what tells hooks that it is under control.
    place: AtomicU64,
    count: AtomicU64,
    threads: [Thread; MAX_VIRTUAL_THREADS],
}

impl Thread {
    const fn nobody() -> Self {
        Self {
            state: AtomicU64::new(0),
            waits_in: Text::empty(),
            stack_pointer: AtomicU64::new(0),
            os_thread: AtomicU64::new(0),
        }
    }
}

/// Written between the steps of one execution by whoever runs, and by the debugger while nobody does.
#[unsafe(no_mangle)]
pub static THREADBARE_DEBUGGER: Debugger = Debugger {
    version: AtomicU64::new(VERSION),
    is_on: AtomicU64::new(0),
    stop_at: AtomicU64::new(u64::MAX),
    stop_at_switch: AtomicU64::new(0),
    step: AtomicU64::new(0),
    why: AtomicU64::new(0),
    thread: AtomicU64::new(0),
    current: AtomicU64::new(0),
    operation: AtomicU64::new(0),
    ending: Text::empty(),
    place: AtomicU64::new(0),
    count: AtomicU64::new(0),
    threads: [const { Thread::nobody() }; MAX_VIRTUAL_THREADS],
};

/// The debugger's breakpoint lies here.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn threadbare_debugger_stop() {
    // Another constant than below, or the linker makes one function of both.
    std::hint::black_box(1_u8);
}

/// AddressSanitizer calls this when it has printed a report, before it ends the process. A debugger stops here too.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn __asan_on_error() {
    std::hint::black_box(2_u8);
}

/// The next execution that is logged is debugged, and stops before that step.
pub fn begin(stop_at: u64) {
    THREADBARE_DEBUGGER.stop_at.store(stop_at, Relaxed);
    THREADBARE_DEBUGGER.is_on.store(1, Relaxed);
}

/// The running thread is about to make a step.
pub(super) fn step(active: &Active, kind: OpKind) {
    let debugger = &THREADBARE_DEBUGGER;
    if debugger.is_on.load(Relaxed) == 0 {
        return;
    }
    let step = debugger.step.load(Relaxed);
    let current = u64::from(active.current());
    let is_switch = debugger.stop_at_switch.load(Relaxed) != 0 && debugger.thread.load(Relaxed) != current;
    debugger.operation.store(kind as u64, Relaxed);
    // Also where it does not stop: a breakpoint may, or a fault.
    tell(active);
    debugger.thread.store(current, Relaxed);
    if step == debugger.stop_at.load(Relaxed) || is_switch {
        debugger.why.store(AT_STEP, Relaxed);
        threadbare_debugger_stop();
    }
    debugger.step.store(step + 1, Relaxed);
}

/// A thread has begun, and may be stopped at before it makes a step.
pub(super) fn begun(active: &Active) {
    if THREADBARE_DEBUGGER.is_on.load(Relaxed) != 0 {
        tell(active);
    }
}

/// The execution is over; nobody goes on.
#[cold]
pub(super) fn end(active: &Active) {
    let debugger = &THREADBARE_DEBUGGER;
    if debugger.is_on.load(Relaxed) == 0 {
        return;
    }
    let unwatched = sanitizer::Unwatched::begin();
    let ending = active.ask(|controller| match controller.ending() {
        Some(Ending::Stuck(_)) => "no thread can go on".to_owned(),
        Some(ending) => ending.to_string(),
        None => Ending::Completed.to_string(),
    });
    debugger.ending.set(String::leak(ending));
    drop(unwatched);
    tell(active);
    debugger.why.store(AT_END, Relaxed);
    threadbare_debugger_stop();
    debugger.is_on.store(0, Relaxed);
}

/// Says who is there.
fn tell(active: &Active) {
    let debugger = &THREADBARE_DEBUGGER;
    let current = active.current();
    let count = active.ask(|controller| {
        for (shown, waits_in) in debugger.threads.iter().zip(controller.waits()) {
            shown.state.store(if waits_in.is_some() { WAITS } else { CAN_RUN }, Relaxed);
            shown.waits_in.set(waits_in.unwrap_or_default());
        }
        controller.thread_count()
    });
    for (id, shown) in (0..count).zip(&debugger.threads) {
        let thread = active.engine.thread(id);
        let has_ended = active.ask(|controller| controller.has_ended(id) || controller.is_carrier(id));
        if has_ended {
            shown.state.store(ENDED, Relaxed);
        } else if shown.state.load(Relaxed) == CAN_RUN && id == current {
            shown.state.store(RUNS, Relaxed);
        } else if !thread.alive.get() {
            shown.state.store(NOT_BEGUN, Relaxed);
        }
        shown.stack_pointer.store(active.engine.place_of_stack_pointer(thread) as u64, Relaxed);
        let os_thread = if active.engine.has_fibers() { 0 } else { thread.os_thread.get() };
        shown.os_thread.store(os_thread, Relaxed);
    }
    debugger.count.store(count.into(), Relaxed);
    debugger.current.store(active.ask(|controller| controller.place_of_current()) as u64, Relaxed);
    debugger.place.store(active_place() as u64, Relaxed);
}
