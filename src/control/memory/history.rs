//! Locations and their histories: the stores that can still be read, in modification order.

use super::cells::{self, Cells};
use super::clocks::{self, PIECE, Rows};
use super::table::Table;

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
/// Bits of an address within a granule: an access that is aligned lies in one.
const GRANULE: u32 = 4;

/// A place in memory that is accessed by atomic operations of one size.
pub(super) struct Location {
    pub address: usize,
    pub size: u32,
    /// Another one in the same granule.
    next: u32,
    /// How many stores are kept; 0 if its history has ended.
    pub count: usize,
    /// The first `count` are kept, oldest first: numbers of records.
    pub stores: [u32; KEPT],
    /// The highest key so far, also of histories that have ended.
    top: u64,
    /// Not all of its stores are kept.
    pub incomplete: bool,
    /// Highest key of SC accesses that left the window.
    pub frozen: u64,
}

/// A store, or what was there before the first one. Its value is in the cell of its number.
#[derive(Clone, Copy, Default)]
pub(super) struct Record {
    /// Its place among the accesses of its location: a read of it has the next higher key.
    pub key: u64,
    /// Which step of the execution it is; `NONE` for what was there before, or something unseen wrote.
    pub step: u32,
    pub thread: u16,
    /// A read-modify-write, so there is none between it and the one before.
    pub update: bool,
    /// Whether it has a release clock, which is in the row of its number.
    pub releases: bool,
}

/// All locations of an execution.
pub(super) struct Histories {
    granules: Table,
    pub locations: Vec<Location>,
    /// How many locations there is room for, here and in what is kept for each elsewhere.
    pub location_capacity: usize,
    pub records: Vec<Record>,
    used: usize,
    free: Vec<u32>,
    pub cells: Cells,
    /// By record and thread: how many releases the thread had made at its first access to it, `NONE` before that.
    pub first: Rows,
    /// By record: its release clock, if it has one.
    pub clocks: Rows,
    /// There are locations that are in two granules.
    straddled: bool,
}

impl Histories {
    pub(super) fn new() -> Self {
        const LOCATIONS: usize = 64;
        const RECORDS: usize = 256;
        let mut granules = Table::default();
        granules.grow();
        granules.grow();
        granules.begin();
        Self {
            granules,
            locations: Vec::with_capacity(LOCATIONS),
            location_capacity: LOCATIONS,
            records: vec![Record::default(); RECORDS],
            used: 0,
            free: Vec::with_capacity(RECORDS),
            cells: Cells::new(RECORDS + 1),
            first: Rows::new(RECORDS, NONE),
            clocks: Rows::new(RECORDS, 0),
            straddled: false,
        }
    }

    pub(super) fn begin(&mut self) {
        self.granules.begin();
        self.locations.clear();
        self.used = 0;
        self.free.clear();
        self.first.begin();
        self.clocks.begin();
        self.straddled = false;
    }

    pub(super) fn widen(&mut self, lanes: usize) {
        self.first.widen(self.used, lanes);
        self.clocks.widen(self.used, lanes);
    }

    /// Whether there is no room for the location and the records that one step may add.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.locations.len() >= self.location_capacity
            || self.lacks_records()
            || !self.granules.has_room(2)
    }

    #[inline]
    fn lacks_records(&self) -> bool {
        self.used + 2 > self.records.len() && self.free.len() < 2
    }

    /// Makes room for the next step, and for clocks of that many threads.
    pub(super) fn grow(&mut self, threads: usize) {
        if self.locations.len() >= self.location_capacity {
            self.location_capacity *= 2;
            self.locations.reserve_exact(self.location_capacity - self.locations.len());
        }
        if !self.granules.has_room(2) {
            self.granules.grow();
        }
        if self.lacks_records() || threads > self.first.capacity() {
            let records = if self.lacks_records() { self.records.len() * 2 } else { self.records.len() };
            let stride = threads.max(self.first.capacity()).next_multiple_of(PIECE);
            self.records.resize(records, Record::default());
            self.free.reserve_exact(records - self.free.len());
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

    /// The number of the newest store.
    #[inline]
    pub(super) fn newest(&self, location: u32) -> u32 {
        let location = self.location(location);
        location.stores[location.count - 1]
    }

    /// The location of an access, which has at least one store.
    #[inline]
    pub(super) fn find(&mut self, address: usize, size: u32) -> u32 {
        if !self.straddled {
            let mut at = self.granules.get(address >> GRANULE).unwrap_or(NONE);
            while at != NONE {
                let location = self.location(at);
                if location.address == address && location.size == size && location.count > 0 {
                    return at;
                }
                at = location.next;
            }
        }
        self.begin_history(address, size)
    }

    /// The history of that place begins, and that of each which overlaps it ends. What those released can still be acquired.
    #[cold]
    fn begin_history(&mut self, address: usize, size: u32) -> u32 {
        let last = address + size.max(1) as usize - 1;
        let base = self.add_record();
        let mut found = NONE;
        // One that straddles is known to the first of its granules only.
        for granule in (address >> GRANULE) - usize::from(self.straddled)..=last >> GRANULE {
            let mut at = self.granules.get(granule).unwrap_or(NONE);
            while at != NONE {
                let location = &self.locations[at as usize];
                let same = location.address == address && location.size == size;
                let overlaps = location.address <= last && address < location.address + location.size.max(1) as usize;
                let next = location.next;
                if same && location.count > 0 {
                    self.free.push(base);
                    return at;
                }
                if same {
                    found = at;
                } else if overlaps && location.count > 0 {
                    self.inherit(base, at);
                    self.end_history(at);
                }
                at = next;
            }
        }
        if found == NONE {
            let granule = address >> GRANULE;
            found = self.locations.len() as u32;
            let next = self.granules.get(granule).unwrap_or(NONE);
            let (stores, count, top) = ([0; KEPT], 0, 0);
            let location = Location { address, size, next, stores, count, top, incomplete: false, frozen: 0 };
            self.locations.push(location);
            self.granules.insert(granule, found);
            self.straddled |= last >> GRANULE != granule;
        }
        let key = self.next_key(found);
        self.cells.set(base as usize, cells::read(address, size));
        self.records[base as usize].key = key;
        let location = &mut self.locations[found as usize];
        location.stores[0] = base;
        location.count = 1;
        location.incomplete = false;
        found
    }

    /// Joins the release clock of the newest store there into that of `base`.
    fn inherit(&mut self, base: u32, from: u32) {
        let newest = self.newest(from);
        if self.record(newest).releases {
            self.join_clock(base, newest);
            self.records[base as usize].releases = true;
        }
    }

    /// Joins the release clock of one record into that of another one.
    pub(super) fn join_clock(&mut self, to: u32, from: u32) {
        let (to, from) = self.clocks.pair(to as usize, from as usize);
        clocks::join(to, from);
    }

    /// None of its stores can be read any more.
    pub(super) fn end_history(&mut self, at: u32) {
        let location = &mut self.locations[at as usize];
        self.free.extend_from_slice(&location.stores[..location.count]);
        location.count = 0;
    }

    /// Something unseen wrote to it: only that can be read. What the newest store released can still be acquired.
    #[cold]
    pub(super) fn begin_anew(&mut self, at: u32, value: u128) {
        let key = self.next_key(at);
        let location = &mut self.locations[at as usize];
        let newest = location.stores[location.count - 1];
        self.free.extend_from_slice(&location.stores[..location.count - 1]);
        location.stores[0] = newest;
        location.count = 1;
        location.incomplete = true;
        let record = &mut self.records[newest as usize];
        *record = Record { key, step: NONE, thread: NOBODY, update: false, releases: record.releases };
        self.cells.set(newest as usize, value);
        self.first.clear(newest as usize);
    }

    /// The histories of that range end.
    pub(super) fn forget(&mut self, address: usize, bytes: usize) {
        if self.locations.is_empty() || bytes == 0 {
            return;
        }
        let last = address + (bytes - 1);
        // One that straddles begins in the granule before.
        let first = (address >> GRANULE).saturating_sub(usize::from(self.straddled));
        let granules = (last >> GRANULE) - first + 1;
        if granules <= self.locations.len() {
            for granule in first..first + granules {
                let mut at = self.granules.get(granule).unwrap_or(NONE);
                while at != NONE {
                    self.forget_location(at, address, last);
                    at = self.location(at).next;
                }
            }
        } else {
            for at in 0..self.locations.len() as u32 {
                self.forget_location(at, address, last);
            }
        }
    }

    fn forget_location(&mut self, at: u32, address: usize, last: usize) {
        let location = self.location(at);
        let overlaps = location.address <= last && address < location.address + location.size.max(1) as usize;
        if overlaps && location.count > 0 {
            self.end_history(at);
        }
    }

    /// The number of a cell for nothing that lasts.
    #[inline]
    pub(super) fn scratch(&self) -> usize {
        self.records.len()
    }

    /// A record that nobody has accessed and that releases nothing.
    pub(super) fn add_record(&mut self) -> u32 {
        let record = self.free.pop().unwrap_or_else(|| {
            self.used += 1;
            self.used as u32 - 1
        });
        self.records[record as usize] = Record { key: 0, step: NONE, thread: NOBODY, update: false, releases: false };
        self.first.clear(record as usize);
        self.clocks.clear(record as usize);
        record
    }

    /// The key of a store that is newer than all others there.
    fn next_key(&mut self, at: u32) -> u64 {
        let location = &mut self.locations[at as usize];
        location.top += SPACING;
        location.top
    }

    /// Whether a store can be placed directly after that of index `index`.
    #[inline]
    pub(super) fn has_gap(&self, at: u32, index: usize) -> bool {
        let location = self.location(at);
        let Some(&next) = location.stores[..location.count].get(index + 1) else { return true };
        let next = self.record(next);
        !next.update && next.key - self.record(location.stores[index]).key >= NARROW
    }

    /// Adds a record directly after the store of index `index`.
    pub(super) fn place_after(&mut self, at: u32, index: usize) -> u32 {
        let record = self.add_record();
        let location = &self.locations[at as usize];
        let key = if index + 1 == location.count {
            self.next_key(at)
        } else {
            let before = self.record(location.stores[index]).key;
            before + (self.record(location.stores[index + 1]).key - before) / 2
        };
        self.records[record as usize].key = key;
        let location = &mut self.locations[at as usize];
        let mut place = index + 1;
        if location.count == KEPT {
            self.free.push(location.stores[0]);
            location.stores.copy_within(1.., 0);
            location.count -= 1;
            location.incomplete = true;
            place -= 1;
        }
        location.stores.copy_within(place..location.count, place + 1);
        location.stores[place] = record;
        location.count += 1;
        record
    }

    /// The index of the newest store there an access to which `clock` has seen, or that `thread` has accessed.
    #[inline]
    pub(super) fn newest_seen(&self, at: u32, clock: &[u32], thread: Option<usize>) -> Option<usize> {
        let location = self.location(at);
        location.stores[..location.count].iter().rposition(|&record| {
            let first = self.first.row(record as usize);
            thread.is_some_and(|thread| first[thread] != NONE) || clocks::any_less(first, clock)
        })
    }
}
