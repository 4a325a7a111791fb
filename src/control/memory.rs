//! The memory model: which stores a load may read, where a store may be placed, and what happens before what.
//!
//! Executions are made step by step, in an order of program order and reads-from, so load buffering is left out. Of each
//! location the last stores are kept in modification order. A step says how many options it has; whoever decides
//! picks one; then the step is made, and the program operates natively on the address that this gives: the real one if
//! it is on the newest store, else a cell that holds the value of an older one. The real one always holds the newest value.
//!
//! Coherence needs no more than vector clocks and, for each store, when each thread first accessed it: a thread cannot
//! go back behind a store that an access happens before its step of which was on that store or a newer one. The order of
//! sequentially consistent operations is a graph of the last of them (`window`). Under `Level::Tso` stores are made in the order in
//! which they leave their buffers, and a load may read what was there before.

mod cells;
mod clocks;
mod history;
mod objects;
mod options;
mod places;
mod steps;
mod table;
#[cfg(test)]
mod tests;
mod window;

use super::sanitizer::Unwatched;
use clocks::{Acquired, PIECE, Rows};
use history::{Histories, NONE};
use objects::Objects;
use options::Step;
use window::Window;

/// Which executions there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Interleavings.
    Sc,
    /// Interleavings of threads with store buffers, as on x86.
    Tso,
    /// What C++20 allows, without cycles of program order and reads-from.
    Cpp20,
}

/// A memory order; consume counts as acquire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Relaxed,
    Acquire,
    Release,
    AcqRel,
    SeqCst,
}

impl Order {
    #[must_use]
    #[inline]
    pub fn acquires(self) -> bool {
        matches!(self, Self::Acquire | Self::AcqRel | Self::SeqCst)
    }

    #[must_use]
    #[inline]
    pub fn releases(self) -> bool {
        matches!(self, Self::Release | Self::AcqRel | Self::SeqCst)
    }
}

/// What is known of a thread, besides its clocks.
#[derive(Clone, Copy, Default)]
struct Thread {
    /// How many releases it has made.
    releases: u32,
    /// It has read, without acquiring, what an acquire fence would acquire.
    has_read: bool,
    /// It has made a release fence.
    has_fence: bool,
    /// Of `Level::Tso`: it has seen all stores up to this time, and its own last one has this time.
    seen: u64,
    stored: u64,
}

/// The memory of one execution after another.
pub struct Memory {
    level: Level,
    threads: Vec<Thread>,
    /// Threads that have begun: one more than the highest number.
    begun: usize,
    /// How many numbers of a clock are in use.
    lanes: usize,
    /// By thread: what it has acquired, its own releases included.
    current: Rows,
    /// By thread: what relaxed loads have read.
    read: Rows,
    /// By thread: what its last release fence has released.
    fence: Rows,
    histories: Histories,
    window: Window,
    objects: Objects,
    step: Step,
    /// Steps so far, and which of them made what the last one read.
    steps: u32,
    source: u32,
    /// Of `Level::Tso`: stores so far.
    time: u64,
    released: Option<(usize, u32)>,
    acquired: Acquired,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// All that an execution of usual size needs is allocated here.
    #[must_use]
    pub fn new() -> Self {
        let histories = Histories::new();
        let mut memory = Self {
            level: Level::Sc,
            threads: vec![Thread::default(); PIECE],
            begun: 1,
            lanes: PIECE,
            current: Rows::new(PIECE, 0),
            read: Rows::new(PIECE, 0),
            fence: Rows::new(PIECE, 0),
            window: Window::new(histories.locations.len()),
            histories,
            objects: Objects::new(),
            step: Step::NOTHING,
            steps: 0,
            source: NONE,
            time: 0,
            released: None,
            acquired: Acquired::new(),
        };
        memory.begin(Level::Sc);
        memory
    }

    /// An execution begins, with thread 0.
    pub fn begin(&mut self, level: Level) {
        self.level = level;
        self.lanes = PIECE;
        for rows in [&mut self.current, &mut self.read, &mut self.fence] {
            rows.begin();
        }
        self.histories.begin();
        self.window.begin();
        self.objects.begin();
        self.step = Step::NOTHING;
        self.steps = 0;
        self.source = NONE;
        self.time = 0;
        self.released = None;
        self.acquired.clear();
        self.begun = 0;
        self.begin_thread(0);
    }

    /// Nobody has begun from there on to `thread`: they all have clocks now.
    fn begin_thread(&mut self, thread: usize) {
        if thread >= self.lanes {
            self.grow(thread + 1);
        }
        for thread in self.begun..=thread {
            self.threads[thread] = Thread::default();
            self.current.clear(thread);
        }
        self.begun = self.begun.max(thread + 1);
    }

    /// Clocks get numbers for more threads, as many as there is room for already.
    fn widen(&mut self, threads: usize) {
        self.lanes = threads.next_multiple_of(PIECE);
        for rows in [&mut self.current, &mut self.read, &mut self.fence] {
            rows.widen(self.begun, self.lanes);
        }
        self.objects.widen(self.lanes);
        self.histories.widen(self.lanes);
        self.window.widen(self.lanes);
    }

    /// Everything that allocates or moves memory after `new`, which is rare: clocks for so many threads, and room for one more step.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, threads: usize) {
        let _unwatched = Unwatched::begin();
        if threads > self.threads.len() {
            let threads = threads.max(self.threads.len() * 2).next_multiple_of(PIECE);
            self.threads.resize(threads, Thread::default());
            self.acquired.grow(threads);
            for rows in [&mut self.current, &mut self.read, &mut self.fence] {
                rows.grow(threads, threads);
            }
        }
        self.objects.grow(self.threads.len());
        self.histories.grow(self.threads.len());
        self.window.grow(self.histories.locations.len(), self.threads.len());
        if threads > self.lanes {
            self.widen(threads);
        }
    }

    /// That of the execution.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// Whether the stores that an operation may be on depend on operations on other locations, even if it is not sequentially
    /// consistent itself.
    #[must_use]
    pub fn depends_on_order(&self) -> bool {
        match self.level {
            Level::Sc => false,
            Level::Tso => true,
            Level::Cpp20 => self.window.has_fences(),
        }
    }

    /// A thread creates another one, which begins with what the first has seen: a release, and its acquisition.
    pub fn add_thread(&mut self, parent: usize, child: usize) {
        self.begin_step(child.max(parent));
        self.publish(parent);
        let Self { current, acquired, .. } = self;
        let (to, from) = current.pair(child, parent);
        acquired.join(to, from);
        self.threads[parent].seen = self.time;
        self.threads[child].seen = self.time;
    }

    /// A thread unlocks, posts, ends, or does anything else after which others come by way of that object.
    pub fn release(&mut self, thread: usize, object: usize) {
        self.begin_step(thread);
        if self.objects.is_full() {
            self.grow(0);
        }
        self.publish(thread);
        self.objects.release(object, self.current.row(thread));
        self.threads[thread].seen = self.time;
    }

    /// A thread locks, waits, joins, or does anything else that comes after all releases of that object.
    pub fn acquire(&mut self, thread: usize, object: usize) {
        self.begin_step(thread);
        self.objects.acquire(object, self.current.row_mut(thread), &mut self.acquired);
        self.threads[thread].seen = self.time;
    }

    /// A thread was woken by another one: it sees the newest stores from now on, though nothing that the standard names orders them
    /// before what it does.
    pub fn catch_up(&mut self, thread: usize) {
        self.begin_step(thread);
        match self.level {
            Level::Sc => {}
            Level::Tso => self.threads[thread].seen = self.time,
            Level::Cpp20 => self.histories.see_newest(thread, self.threads[thread].releases),
        }
    }

    /// That memory is used for something else from now on: what was stored there can be read no more, and objects that
    /// lay there are no more.
    pub fn forget(&mut self, address: usize, bytes: usize) {
        self.settle();
        if bytes != 0 {
            let last = address.saturating_add(bytes - 1);
            self.histories.forget(address, last);
            self.objects.forget(address, last);
        }
    }

    /// The last step, if it was a release: whose, and its number among the thread's releases, from 1.
    #[must_use]
    #[inline]
    pub fn released(&self) -> Option<(usize, u32)> {
        self.released
    }

    /// What the last step has acquired, by thread: all of its releases up to that number. Nothing that was acquired before.
    #[must_use]
    #[inline]
    pub fn acquired(&self) -> &[(u16, u32)] {
        self.acquired.entries()
    }

    /// How many releases of each thread one has acquired; of itself, how many it has made.
    #[must_use]
    #[inline]
    pub fn clock(&self, thread: usize) -> &[u32] {
        self.current.row(thread)
    }

    /// How many releases a thread has made.
    #[must_use]
    #[inline]
    pub fn releases(&self, thread: usize) -> u32 {
        self.threads[thread].releases
    }
}
