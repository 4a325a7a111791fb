//! The events that a subject records, in a buffer that never grows during an execution.

use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};

use super::active::active;
use crate::execution::{Event, EventKind, ThreadId};
use crate::program::TaskId;

/// Filled by whichever thread records. Under control that is one at a time; under the engine `free` each
/// claims a place of its own. Rust's atomics are not seen by TSan, so recording orders nothing.
struct Recorder {
    events: UnsafeCell<Vec<Event>>,
    claimed: AtomicUsize,
    overflown: AtomicBool,
    /// The number of the next thread that records first, under the engine `free`.
    next_thread: AtomicU16,
    /// Grows with each execution, so that a thread notices that its number is from an earlier one.
    generation: AtomicUsize,
}

// SAFETY: places are claimed by one thread each; the vector itself changes only between executions.
unsafe impl Sync for Recorder {}

static RECORDER: Recorder = Recorder {
    events: UnsafeCell::new(Vec::new()),
    claimed: AtomicUsize::new(0),
    overflown: AtomicBool::new(false),
    next_thread: AtomicU16::new(0),
    generation: AtomicUsize::new(0),
};

const EMPTY: Event = Event { value: 0, task: 0, operation: 0, thread: 0, kind: EventKind::FrameMade };

/// Forgets the last execution's events and makes room for so many. The calling thread is thread 0.
pub(super) fn begin(capacity: usize) {
    // SAFETY: called between executions, when no subject runs.
    let events = unsafe { &mut *RECORDER.events.get() };
    if events.len() != capacity {
        events.resize(capacity, EMPTY);
    }
    RECORDER.claimed.store(0, Ordering::Relaxed);
    RECORDER.overflown.store(false, Ordering::Relaxed);
    RECORDER.next_thread.store(0, Ordering::Relaxed);
    RECORDER.generation.fetch_add(1, Ordering::Relaxed);
    free_thread();
}

/// Copies the events of the execution that ended into `target`; whether all of them fitted.
pub(super) fn end(target: &mut Vec<Event>) -> bool {
    // SAFETY: as `begin`.
    let events = unsafe { &*RECORDER.events.get() };
    let count = RECORDER.claimed.load(Ordering::Acquire).min(events.len());
    target.clear();
    target.extend_from_slice(&events[..count]);
    !RECORDER.overflown.load(Ordering::Relaxed)
}

thread_local! {
    static NUMBER: Cell<(usize, ThreadId)> = const { Cell::new((0, 0)) };
}

/// The number of the calling thread under the engine `free`: in the order in which threads first record.
fn free_thread() -> ThreadId {
    let generation = RECORDER.generation.load(Ordering::Relaxed);
    let (known, number) = NUMBER.get();
    if known == generation {
        return number;
    }
    let number = RECORDER.next_thread.fetch_add(1, Ordering::Relaxed);
    NUMBER.set((generation, number));
    number
}

/// Called by the interpreter (cpp/harness/interpreter.hpp) for each event. Not a point.
#[unsafe(no_mangle)]
extern "C" fn threadbare_record(task: TaskId, operation: u16, kind: u8, value: i64) {
    let active = active();
    let thread = active.map_or_else(free_thread, |active| active.current());
    let place = match active {
        // One thread at a time: no locked instruction is needed.
        Some(_) => {
            let place = RECORDER.claimed.load(Ordering::Relaxed);
            RECORDER.claimed.store(place + 1, Ordering::Relaxed);
            place
        }
        None => RECORDER.claimed.fetch_add(1, Ordering::AcqRel),
    };
    // SAFETY: the vector does not change while a subject runs.
    let (start, capacity) = unsafe { ((*RECORDER.events.get()).as_mut_ptr(), (*RECORDER.events.get()).len()) };
    if place >= capacity {
        RECORDER.overflown.store(true, Ordering::Relaxed);
        if let Some(active) = active {
            active.too_many_events();
        }
        return;
    }
    let kind = EventKind::from_number(kind);
    // SAFETY: in bounds, and claimed by this thread alone.
    unsafe { start.add(place).write(Event { value, task, operation, thread, kind }) };
}
