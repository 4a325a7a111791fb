//! Locations and their histories: the stores that can still be read, in modification order.

use super::cells::{self, Cells};
use super::clocks::{self, NEVER, PIECE, Rows};
use super::places::Places;
use super::window::Nodes;

/// Stores of a location that are kept; when there are more, the oldest can no longer be read.
pub const KEPT: usize = 16;
/// No such number.
pub(super) const NONE: u32 = u32::MAX;
/// What nobody did.
pub(super) const NOBODY: u16 = u16::MAX;
/// From the key of a store to that of the next newer one. A store that is placed between two gets the middle, so no key
/// ever changes: room for 29 stores each of which is placed directly after the same one, and for 2^32 in all.
const SPACING: u64 = 1 << 32;
/// Less than this between two keys is no room for a third one and the reads of both.
const NARROW: u64 = 8;

/// A place in memory that is accessed by atomic operations of one size.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
pub(super) struct Location {
    pub address: usize,
    pub size: u32,
    /// How many stores are kept, 0 if its history has ended; the newest and the oldest of them.
    pub count: u32,
    pub newest: u32,
    pub oldest: u32,
    /// Not all of its stores are kept.
    pub incomplete: bool,
    /// Its accesses in the graph of sequentially consistent operations.
    pub ordered: Nodes,
    /// The highest key so far, also of histories that have ended.
    top: u64,
    /// Highest key of those that have left the graph.
    pub frozen: u64,
}

impl Location {
    fn last(&self) -> usize {
        self.address + (self.size.max(1) as usize - 1)
    }

    fn is_in(&self, first: usize, last: usize) -> bool {
        self.count > 0 && self.address <= last && first <= self.last()
    }
}

/// A store, or what was there before the first one. Its value is in the cell of its number.
#[derive(Clone, Copy, Default)]
pub(super) struct Record {
    /// Its place among the accesses of its location: a read of it has the next higher key.
    pub key: u64,
    /// Which step of the execution it is; `NONE` for what was there before, or something unseen wrote.
    pub step: u32,
    /// The next ones in modification order. `older` is also the next one that is free.
    pub older: u32,
    pub newer: u32,
    /// In the graph of sequentially consistent operations: its store, and loads that read it.
    pub written: Nodes,
    pub read: Nodes,
    pub thread: u16,
    /// A read-modify-write, so there is none between it and the one before.
    pub update: bool,
    /// Whether it has a release clock, which is in the row of its number.
    pub releases: bool,
}

impl Record {
    const NEW: Self = Self {
        key: 0,
        step: NONE,
        older: NONE,
        newer: NONE,
        written: 0,
        read: 0,
        thread: NOBODY,
        update: false,
        releases: false,
    };
}

/// All locations of an execution.
pub(super) struct Histories {
    places: Places,
    /// By number of the place; those whose histories have not ended do not overlap.
    pub locations: Vec<Location>,
    /// Bytes of the largest one.
    largest: u32,
    pub records: Vec<Record>,
    used: usize,
    /// The first of those that were used and no longer are.
    free: u32,
    pub cells: Cells,
    /// By record and thread: how many releases the thread had made at its first access to it, `NEVER` before that.
    pub first: Rows,
    /// By record: its release clock, if it has one.
    pub clocks: Rows,
}

impl Histories {
    pub(super) fn new() -> Self {
        const LOCATIONS: usize = 64;
        const RECORDS: usize = 256;
        Self {
            places: Places::new(LOCATIONS),
            locations: vec![Location::default(); LOCATIONS],
            largest: 0,
            records: vec![Record::NEW; RECORDS],
            used: 0,
            free: NONE,
            cells: Cells::new(RECORDS + 1),
            first: Rows::new(RECORDS, NEVER),
            clocks: Rows::new(RECORDS, 0),
        }
    }

    pub(super) fn begin(&mut self) {
        self.places.begin();
        self.largest = 0;
        self.used = 0;
        self.free = NONE;
        self.first.begin();
        self.clocks.begin();
    }

    pub(super) fn widen(&mut self, lanes: usize) {
        self.first.widen(self.used, lanes);
        self.clocks.widen(self.used, lanes);
    }

    /// Whether there may be no room for the location and the records that one step adds.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.places.is_full() || self.used + 2 > self.records.len()
    }

    /// Makes room for the next step, and for clocks of that many threads.
    pub(super) fn grow(&mut self, threads: usize) {
        if self.places.is_full() {
            self.places.grow();
            self.locations.resize(self.places.capacity(), Location::default());
        }
        let records = if self.used + 2 > self.records.len() { self.records.len() * 2 } else { self.records.len() };
        let stride = threads.max(self.first.capacity()).next_multiple_of(PIECE);
        if records > self.records.len() || stride > self.first.capacity() {
            self.records.resize(records, Record::NEW);
            self.cells.grow(records + 1);
            self.first.grow(records, stride);
            self.clocks.grow(records, stride);
        }
    }

    #[inline]
    pub(super) fn location(&self, location: u32) -> &Location {
        &self.locations[location as usize]
    }

    #[inline]
    pub(super) fn record(&self, record: u32) -> &Record {
        &self.records[record as usize]
    }

    /// The location of an access, which has at least one store.
    #[inline]
    pub(super) fn find(&mut self, address: usize, size: u32) -> u32 {
        if let Some(at) = self.places.get(address) {
            let location = self.location(at);
            if location.size == size && location.count > 0 {
                return at;
            }
        }
        self.begin_history(address, size)
    }

    /// The history of that place begins, and that of each which overlaps it ends. What those released can still be acquired.
    #[inline(never)]
    fn begin_history(&mut self, address: usize, size: u32) -> u32 {
        let base = self.add_record();
        self.end_histories(address, address + (size.max(1) as usize - 1), |histories, newest| {
            histories.inherit(base, newest);
        });
        let at = self.places.get(address).unwrap_or_else(|| {
            let at = self.places.add(address);
            self.locations[at as usize] = Location { address, ..Location::default() };
            at
        });
        self.largest = self.largest.max(size);
        self.records[base as usize].key = self.next_key(at);
        self.cells.set(base as usize, cells::read(address, size));
        let location = &mut self.locations[at as usize];
        (location.size, location.count, location.newest, location.oldest) = (size, 1, base, base);
        location.incomplete = false;
        at
    }

    /// The histories in that range end; of each, the newest store before that.
    #[inline]
    fn end_histories(&mut self, first: usize, last: usize, mut each: impl FnMut(&mut Self, u32)) {
        // Some may begin before it.
        let from = first.saturating_sub(self.largest as usize);
        if !self.places.may_have(from, last) {
            return;
        }
        let mut range = self.places.range(from, last);
        while let Some(at) = self.places.next(&mut range) {
            let location = self.location(at);
            if location.is_in(first, last) {
                each(self, location.newest);
                self.end_history(at);
            }
        }
    }

    /// Joins the release clock of a store into that of `base`.
    #[cold]
    fn inherit(&mut self, base: u32, from: u32) {
        if self.record(from).releases {
            if !self.record(base).releases {
                self.clocks.clear(base as usize);
                self.records[base as usize].releases = true;
            }
            self.join_clock(base, from);
        }
    }

    /// Joins the release clock of one record into that of another one.
    #[inline]
    pub(super) fn join_clock(&mut self, to: u32, from: u32) {
        let (to, from) = self.clocks.pair(to as usize, from as usize);
        clocks::join(to, from);
    }

    /// None of its stores can be read any more.
    fn end_history(&mut self, at: u32) {
        let location = &mut self.locations[at as usize];
        location.count = 0;
        let mut record = location.newest;
        while record != NONE {
            let older = self.record(record).older;
            self.free(record);
            record = older;
        }
    }

    /// Something unseen wrote to it: only that can be read. What the newest store released can still be acquired.
    #[cold]
    pub(super) fn begin_anew(&mut self, at: u32, value: u128) {
        let newest = self.location(at).newest;
        let older = std::mem::replace(&mut self.records[newest as usize].older, NONE);
        // The older ones end; then it begins again.
        self.locations[at as usize].newest = older;
        self.end_history(at);
        let key = self.next_key(at);
        let location = &mut self.locations[at as usize];
        (location.count, location.newest, location.oldest, location.incomplete) = (1, newest, newest, true);
        let record = &mut self.records[newest as usize];
        *record = Record { key, releases: record.releases, ..Record::NEW };
        self.cells.set(newest as usize, value);
        self.first.clear(newest as usize);
    }

    /// The thread has seen the newest store of every location, having made so many releases.
    pub(super) fn see_newest(&mut self, thread: usize, releases: u32) {
        for at in 0..self.places.count() {
            let Location { count, newest, .. } = self.locations[at];
            if count > 0 {
                let first = &mut self.first.row_mut(newest as usize)[thread];
                *first = (*first).min(releases);
            }
        }
    }

    /// What was stored in that range can be read no more.
    pub(super) fn forget(&mut self, first: usize, last: usize) {
        self.end_histories(first, last, |_, _| ());
    }

    /// The number of a cell for nothing that lasts.
    #[inline]
    pub(super) fn scratch(&self) -> usize {
        self.records.len()
    }

    fn free(&mut self, record: u32) {
        self.records[record as usize].older = self.free;
        self.free = record;
    }

    /// A record that nobody has accessed and that releases nothing.
    #[inline]
    fn add_record(&mut self) -> u32 {
        let record = if self.free == NONE {
            self.used += 1;
            self.used as u32 - 1
        } else {
            self.free
        };
        let new = &mut self.records[record as usize];
        if self.free != NONE {
            self.free = new.older;
        }
        *new = Record::NEW;
        self.first.clear(record as usize);
        record
    }

    /// The key of a store that is newer than all others there.
    #[inline]
    fn next_key(&mut self, at: u32) -> u64 {
        let location = &mut self.locations[at as usize];
        location.top += SPACING;
        location.top
    }

    /// Whether a store can be placed directly after that one.
    #[inline]
    pub(super) fn has_gap(&self, record: u32) -> bool {
        let record = self.record(record);
        if record.newer == NONE {
            return true;
        }
        let next = self.record(record.newer);
        !next.update && next.key - record.key >= NARROW
    }

    /// Adds a record directly after that one. If there are too many, the oldest is free then, but still what it was.
    #[inline]
    pub(super) fn place_after(&mut self, at: u32, older: u32) -> u32 {
        let number = self.add_record();
        let newer = self.record(older).newer;
        let key = if newer == NONE {
            self.locations[at as usize].newest = number;
            self.next_key(at)
        } else {
            self.records[newer as usize].older = number;
            let before = self.record(older).key;
            before + (self.record(newer).key - before) / 2
        };
        self.records[older as usize].newer = number;
        let record = &mut self.records[number as usize];
        (record.key, record.older, record.newer) = (key, older, newer);
        let location = &mut self.locations[at as usize];
        if (location.count as usize) < KEPT {
            location.count += 1;
        } else {
            let oldest = location.oldest;
            let next = self.records[oldest as usize].newer;
            (location.oldest, location.incomplete) = (next, true);
            self.records[next as usize].older = NONE;
            self.free(oldest);
        }
        number
    }

    /// The newest store there an access to which `clock` has seen, or that `thread` has accessed.
    #[inline]
    pub(super) fn newest_seen(&self, at: u32, clock: &[u32], thread: usize) -> Option<u32> {
        let mut record = self.location(at).newest;
        while record != NONE {
            let first = self.first.row(record as usize);
            if first.get(thread).is_some_and(|first| *first != NEVER) || clocks::any_less(first, clock) {
                return Some(record);
            }
            record = self.record(record).older;
        }
        None
    }
}
