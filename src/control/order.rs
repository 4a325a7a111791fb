//! What orders the steps of threads: told to the sanitizer, and kept in clocks of our own where those are needed, which is
//! under a weak memory model.
//!
//! The clocks belong to the process, as the hooks do. Only the virtual thread that runs touches them.

mod judged;

pub(super) use judged::{Heed, Told, access, freed, heed, locked, missed, races, races_are_meant, told, unlocked};

use std::cell::UnsafeCell;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, Ordering};

use super::memory::{Level, Memory, Order};
use super::races::Kind;
use super::sanitizer::{self, Cells};
use crate::model::execution::ThreadId;
use crate::model::settings::MemoryModel;
use judged::Judged;

/// Whether clocks are kept in this execution.
static ON: AtomicBool = AtomicBool::new(false);
/// ThreadSanitizer can be told apart what atomic operations of the target order.
static EXACT: AtomicBool = AtomicBool::new(false);
/// The number of the virtual thread that runs: the controller's own.
static CURRENT: AtomicPtr<ThreadId> = AtomicPtr::new(ptr::null_mut());
static CLOCKS: Clocks = Clocks(UnsafeCell::new(None));
/// Whether ThreadSanitizer is told by [`tell`] what atomic operations do, and sees nothing of them itself. Read by
/// cpp/control/memory.c.
#[unsafe(no_mangle)]
static threadbare_exact: AtomicI32 = AtomicI32::new(0);

struct Clocks(UnsafeCell<Option<Kept>>);

struct Kept {
    memory: Box<Memory>,
    cells: Option<Cells>,
    /// What judges the execution for races, if anything does.
    judged: Option<Box<Judged>>,
}

// SAFETY: one virtual thread runs at a time, and only it, or the root between executions, touches them.
unsafe impl Sync for Clocks {}

/// Whether atomic operations are to be told to [`with_clocks`].
#[inline(always)]
pub(super) fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Whether ThreadSanitizer is told what the atomic operations of the target order, by way of cpp/control/memory.c.
pub(super) fn set_exact(is_exact: bool) {
    EXACT.store(is_exact, Ordering::Relaxed);
}

/// How an execution is kept account of.
pub(super) struct Account {
    pub memory: MemoryModel,
    /// The orders of operations are looked at even if it is an interleaving.
    pub looks_at_orders: bool,
    /// It is judged for races.
    pub judges_races: bool,
    /// The accesses whose calls are kept, by their number in the execution: it is one that was made before.
    pub watched: Vec<u32>,
}

/// An execution begins. `current` will always hold who runs, for as long as the process lives.
pub(super) fn begin(account: Account, current: *const ThreadId) {
    let Account { memory, looks_at_orders, judges_races, watched } = account;
    let level = match memory {
        MemoryModel::Sc => Level::Sc,
        MemoryModel::Tso => Level::Tso,
        MemoryModel::Cpp20 => Level::Cpp20,
    };
    CURRENT.store(current.cast_mut(), Ordering::Relaxed);
    let is_exact = EXACT.load(Ordering::Relaxed);
    let is_on = memory != MemoryModel::Sc || is_exact || looks_at_orders || judges_races;
    ON.store(is_on, Ordering::Relaxed);
    threadbare_exact.store(is_exact.into(), Ordering::Relaxed);
    if is_on {
        // SAFETY: the root calls this, between executions.
        let clocks = unsafe { &mut *CLOCKS.0.get() };
        let kept =
            clocks.get_or_insert_with(|| Kept { memory: Box::new(Memory::new()), cells: Cells::new(), judged: None });
        kept.memory.begin(level);
        if judges_races {
            kept.judged.get_or_insert_with(|| Box::new(Judged::new())).begin(watched);
        } else {
            kept.judged = None;
        }
    }
}

/// The execution is over.
pub(super) fn end() {
    ON.store(false, Ordering::Relaxed);
    threadbare_exact.store(0, Ordering::Relaxed);
}

/// While it lives, nothing is told to the clocks: whoever looks at an execution calls functions of the system that synchronise, of
/// which the target must know nothing.
pub(super) struct Paused {
    was_on: bool,
}

impl Paused {
    pub fn begin() -> Self {
        Self { was_on: ON.swap(false, Ordering::Relaxed) }
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        ON.store(self.was_on, Ordering::Relaxed);
    }
}

/// Does something with the clocks, in the name of the thread that runs; `act` must not switch. Only where they are on.
#[inline]
pub(super) fn with_clocks<R>(act: impl FnOnce(&mut Memory, usize) -> R) -> R {
    with_kept(|kept, current| act(&mut kept.memory, current))
}

/// As `with_clocks`, with all that is kept; also just after an execution in which they were on.
#[inline(always)]
fn with_kept<R>(act: impl FnOnce(&mut Kept, usize) -> R) -> R {
    // SAFETY: `begin` has set both; nobody else runs, and `act` does not switch.
    unsafe {
        let current = usize::from(*CURRENT.load(Ordering::Relaxed));
        act((*CLOCKS.0.get()).as_mut().expect("clocks that are on have begun"), current)
    }
}

/// Stands for the order of operations that no location tells: of sequentially consistent ones, and of all stores where each of
/// them has its time. A search of all executions takes those for dependent that are on it.
static TOTAL_ORDER: AtomicU64 = AtomicU64::new(0);
/// In the same way for what threads see that were woken: all that was stored before.
static WOKEN: AtomicU64 = AtomicU64::new(0);

/// Where these are, in every execution of the process.
pub(super) fn total_order() -> usize {
    &raw const TOTAL_ORDER as usize
}

pub(super) fn woken() -> usize {
    &raw const WOKEN as usize
}

/// The running thread was woken by another one, and sees what that has done.
pub(super) fn catch_up() {
    with_clocks(Memory::catch_up);
}

/// Whether the target was seen to use a memory order weaker than sequential consistency.
static HAS_WEAKER_ORDERS: AtomicBool = AtomicBool::new(false);

pub(super) fn has_weaker_orders() -> bool {
    HAS_WEAKER_ORDERS.load(Ordering::Relaxed)
}

pub(super) fn note_weaker_order() {
    HAS_WEAKER_ORDERS.store(true, Ordering::Relaxed);
}

/// An access of the running thread that ThreadSanitizer does not see.
pub(super) struct Shown {
    pub address: usize,
    pub size: usize,
    pub writes: bool,
    pub caller: usize,
}

/// Tells ThreadSanitizer, or who else judges races, what the last atomic operation or fence of the running thread orders: what it
/// acquires comes before its access, what it releases after.
#[inline]
pub(super) fn tell(access: Option<&Shown>) {
    with_kept(|kept, current| {
        if let Some(access) = access {
            kept.judge_atomic(current, access);
        }
        let Kept { memory, cells: Some(cells), .. } = kept else { return };
        for &(thread, release) in memory.acquired() {
            cells.acquire(thread.into(), release);
        }
        if let Some(Shown { address, size, writes, caller }) = access {
            sanitizer::show(*address, *size, *writes, *caller);
        }
        if let Some((thread, release)) = memory.released() {
            cells.release(thread, release);
        }
    });
}

/// Whatever was released in the name of `object` happens before what comes now.
#[inline]
pub(super) fn acquire(object: usize) {
    sanitizer::acquire(object);
    if is_on() {
        with_clocks(|clocks, thread| clocks.acquire(thread, object));
    }
}

/// What came until now happens before whatever acquires in the name of `object`.
#[inline]
pub(super) fn release(object: usize) {
    sanitizer::release(object);
    if is_on() {
        with_clocks(|clocks, thread| clocks.release(thread, object));
    }
}

/// A hook is about to store there in the name of the running thread, such that whoever loads that and acquires comes after it.
pub(super) fn release_store(address: usize, size: usize) {
    if is_on() {
        with_clocks(|clocks, thread| {
            clocks.store(thread, address, size as u32, Order::Release);
            let place = clocks.commit(0);
            debug_assert_eq!(place, address, "the newest store is made where it is meant to be");
        });
        tell(None);
    }
}

/// The running thread creates that one.
pub(super) fn add_thread(child: ThreadId) {
    if is_on() {
        with_kept(|kept, parent| {
            let _unwatched = sanitizer::Unwatched::begin();
            kept.memory.add_thread(parent, child.into());
            kept.judge_birth(parent, child.into());
        });
    }
}

/// Something was written there that is not atomic: no older store can be read.
#[inline]
pub(super) fn forget(address: usize, bytes: usize) {
    if is_on() {
        with_clocks(|clocks, _| clocks.forget(address, bytes));
    }
}

/// Other objects lie there from now on, of which nobody has used any before; it is no block of the heap.
#[inline]
pub(super) fn begins(memory: Range<usize>) {
    if is_on() {
        with_kept(|kept, _| {
            kept.memory.forget(memory.start, memory.len());
            kept.judge_begin(memory);
        });
    }
}

/// A block is given back in a way that does not tell who is given it next.
pub(super) fn given_back(address: usize, bytes: usize) {
    if is_on() {
        with_kept(|kept, _| {
            kept.memory.forget(address, bytes);
            kept.judge_given_back(address, bytes);
        });
    }
}

/// As `begins`, of a block that the running thread was given.
#[inline]
pub(super) fn allocated(address: usize, bytes: usize) {
    if is_on() {
        with_clocks(|clocks, _| clocks.forget(address, bytes));
        judged::allocated(address, bytes);
    }
}

/// There is but one thread, and all that was done is ordered before what comes.
pub(super) fn settled() {
    if is_on() {
        with_kept(|kept, _| {
            kept.memory.forget(0, usize::MAX);
            kept.judge_settled();
        });
    }
}

/// The function that `caller` called uses the object there as whoever may do so at the same time.
#[inline]
pub(super) fn uses(object: usize, size: usize, caller: usize) {
    sanitizer::uses(object, size, caller);
    // Of one byte, as TSan has it: that says as much.
    judged::access_if_on(caller, object, 1, Kind::READ);
}

/// As `uses`, where the object begins or ends: nobody else may use it then.
#[inline]
pub(super) fn begins_or_ends(object: usize, size: usize, caller: usize) {
    sanitizer::begins_or_ends(object, size, caller);
    judged::access_if_on(caller, object, size, Kind::WRITE);
}

/// The function that `caller` called reads that memory.
#[inline]
pub(super) fn reads(start: usize, size: usize, caller: usize) {
    sanitizer::reads(start, size, caller);
    judged::access_if_on(caller, start, size, Kind::READ);
}

/// As `reads`, where it writes it.
#[inline]
pub(super) fn writes(start: usize, size: usize, caller: usize) {
    sanitizer::writes(start, size, caller);
    judged::access_if_on(caller, start, size, Kind::WRITE);
}
