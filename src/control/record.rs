//! The events that a runtime records, in a buffer that never grows during an execution.

use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};

use super::active::{Active, active};
use crate::model::execution::{Event, EventKind, ThreadId};
use crate::task_graph::TaskId;

/// Filled by whichever thread records. Under control that is one at a time; under the engine `free` each
/// claims a place of its own. Rust's atomics are not seen by TSan, so recording orders nothing.
struct Recorder {
    /// Empty while a runtime runs, which writes into its capacity.
    events: UnsafeCell<Vec<Event>>,
    /// Places that there are.
    room: AtomicUsize,
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
    room: AtomicUsize::new(0),
    claimed: AtomicUsize::new(0),
    overflown: AtomicBool::new(false),
    next_thread: AtomicU16::new(0),
    generation: AtomicUsize::new(0),
};

/// Makes room for so many events of the next execution.
pub(super) fn begin(room: usize) {
    // SAFETY: called between executions, when no runtime runs.
    let events = unsafe { &mut *RECORDER.events.get() };
    events.clear();
    events.reserve(room);
    RECORDER.room.store(room, Ordering::Relaxed);
    RECORDER.claimed.store(0, Ordering::Relaxed);
    RECORDER.overflown.store(false, Ordering::Relaxed);
    RECORDER.next_thread.store(0, Ordering::Relaxed);
    // Nobody else writes this, or `room` below: a locked instruction would be felt in each execution.
    RECORDER.generation.store(RECORDER.generation.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// After `begin`, under the engine `free`: the calling thread is thread 0.
pub(super) fn begin_freely() {
    free_thread();
}

/// Gives the events of the execution that ended, in exchange for a vector to use again; whether all of them fitted.
pub(super) fn end(target: &mut Vec<Event>) -> bool {
    // What would be recorded from here on has no place.
    let room = RECORDER.room.load(Ordering::Relaxed);
    RECORDER.room.store(0, Ordering::Relaxed);
    let count = RECORDER.claimed.load(Ordering::Acquire).min(room);
    // SAFETY: as `begin`; so many places were claimed, and each was written before its thread went on.
    unsafe {
        let events = &mut *RECORDER.events.get();
        events.set_len(count);
        std::mem::swap(events, target);
    }
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

/// Called by the interpreter (cpp/harness/interpreter.hpp) for each event. Not a scheduling point.
#[unsafe(no_mangle)]
extern "C" fn threadbare_record(task: TaskId, operation: u16, kind: u8, value: i64) {
    let Some(active) = active() else { return record_freely(task, operation, kind, value) };
    // One thread at a time: no locked instruction is needed.
    let place = RECORDER.claimed.load(Ordering::Relaxed);
    if place >= RECORDER.room.load(Ordering::Relaxed) {
        return overflow(active);
    }
    RECORDER.claimed.store(place + 1, Ordering::Relaxed);
    let event = Event { value, task, operation, thread: active.current(), kind: EventKind::from_number(kind) };
    // SAFETY: in bounds, and claimed.
    unsafe { write(place, event) };
    active.note(event);
}

/// As `threadbare_record`, without control.
#[inline(never)]
extern "C" fn record_freely(task: TaskId, operation: u16, kind: u8, value: i64) {
    let thread = free_thread();
    let place = RECORDER.claimed.fetch_add(1, Ordering::AcqRel);
    if place >= RECORDER.room.load(Ordering::Relaxed) {
        RECORDER.overflown.store(true, Ordering::Relaxed);
        return;
    }
    // SAFETY: in bounds, and claimed by this thread alone.
    unsafe { write(place, Event { value, task, operation, thread, kind: EventKind::from_number(kind) }) };
}

#[cold]
extern "C" fn overflow(active: &Active) {
    RECORDER.overflown.store(true, Ordering::Relaxed);
    active.too_many_events();
}

/// # Safety
/// The place is below `room`, and nobody else writes to it.
#[inline(always)]
unsafe fn write(place: usize, event: Event) {
    let Event { value, task, operation, thread, kind } = event;
    // Part by part, since to copy what was just written in parts stalls the processor.
    // SAFETY: the caller's promise; the vector does not change while a runtime runs.
    unsafe {
        let place = (*RECORDER.events.get()).as_mut_ptr().add(place);
        (&raw mut (*place).value).write(value);
        (&raw mut (*place).task).write(task);
        (&raw mut (*place).operation).write(operation);
        (&raw mut (*place).thread).write(thread);
        (&raw mut (*place).kind).write(kind);
    }
}
