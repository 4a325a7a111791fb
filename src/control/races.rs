//! Finds the data races of an execution: pairs of accesses by two threads to the same bytes, of which one writes, not both are
//! atomic, and neither happens before the other.
//!
//! In the manner of FastTrack (Flanagan and Freund, PLDI 2009) and DJIT+ (Pozniansky and Schuster, PPoPP 2003): an access
//! is known by its thread and epoch, and whether it happens before another is one comparison. Unlike them it finds **every** pair of
//! places that race, and not only whether any do. FastTrack keeps the last write alone, since a race with an older
//! one implies a race with that; here a record stays until one of the same place covers it (see [`records`]).
//!
//! The epoch of an access is the number of release actions that its thread has made before. It happens before the present
//! step of another thread if that has acquired a later one.

mod blocks;
mod findings;
mod locks;
mod pages;
mod record;
mod records;
mod room;
#[cfg(test)]
mod tests;

use std::ops::Range;

#[cfg(test)]
use blocks::Block;
pub use findings::{Access, Race};
pub use locks::Held;

use findings::Findings;
use locks::Locks;
use pages::{GRANULE, Pages};
use record::{Later, Record};
use records::{NONE, Records};

/// Bytes of an access that are judged.
const LARGEST: usize = 1 << 20;

/// The thread that makes a step.
#[derive(Clone, Copy)]
pub struct Now<'a> {
    pub thread: usize,
    /// Release actions that it has made **before** this step: an operation that is one itself does not count.
    pub epoch: u32,
    /// By thread, how many of its release actions happen before this step: what an operation acquires itself counts.
    pub clock: &'a [u32],
}

/// What an access does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(u8);

impl Kind {
    const WRITES: u8 = 1;
    const IS_ATOMIC: u8 = 2;
    const FREES: u8 = 4;

    pub const READ: Self = Self(0);
    pub const WRITE: Self = Self(Self::WRITES);
    pub const ATOMIC_READ: Self = Self(Self::IS_ATOMIC);
    /// Also of a read-modify-write.
    pub const ATOMIC_WRITE: Self = Self(Self::WRITES | Self::IS_ATOMIC);
    /// The memory is freed, which is a write of all of it.
    pub const FREE: Self = Self(Self::WRITES | Self::FREES);

    #[must_use]
    pub fn writes(self) -> bool {
        self.0 & Self::WRITES != 0
    }

    #[must_use]
    pub fn is_atomic(self) -> bool {
        self.0 & Self::IS_ATOMIC != 0
    }

    #[must_use]
    pub fn frees(self) -> bool {
        self.0 & Self::FREES != 0
    }

    /// Whether two such accesses of the same bytes race, unless one happens before the other.
    #[inline]
    fn conflicts_with(self, other: Self) -> bool {
        (self.0 | other.0) & Self::WRITES != 0 && self.0 & other.0 & Self::IS_ATOMIC == 0
    }
}

/// What came of a step that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Nothing,
    /// There are more [`Detector::races`] than before.
    Race,
    /// It is that one of the accesses that are watched for: now is the time to keep its calls.
    Watched(usize),
}

/// How a thread came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birth {
    pub parent: usize,
    /// The number of the creator's stack, if the execution is watched.
    pub stack: usize,
}

/// What the bounds of memory kept from being seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// Accesses that were forgotten too early, or never noted.
    pub accesses: u64,
    /// Detector that were found, but not kept.
    pub races: u64,
}

/// The races of one execution after another.
pub struct Detector {
    pages: Pages,
    records: Records,
    findings: Findings,
    locks: Locks,
    /// By thread; none of the first.
    births: Vec<Option<Birth>>,
    /// Accesses so far.
    step: u32,
    /// Steps that are watched for, and the next one of them, or 0.
    watched: Vec<u32>,
    awaited: u32,
}

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

impl Detector {
    #[must_use]
    pub fn new() -> Self {
        Self::with_room(pages::MOST, records::MOST)
    }

    fn with_room(pages: usize, records: usize) -> Self {
        Self {
            pages: Pages::new(pages),
            records: Records::new(records),
            findings: Findings::new(),
            locks: Locks::new(),
            births: Vec::new(),
            step: 0,
            watched: Vec::new(),
            awaited: 0,
        }
    }

    /// An execution begins, with thread 0, of a program that has these variables. What is to be watched for is as before.
    pub fn begin(&mut self, variables: Range<usize>) {
        self.settled();
        self.findings.clear();
        self.findings.blocks.add_range(variables);
        (self.pages.missed, self.records.missed) = (0, 0);
        self.locks.clear();
        self.births.clear();
        self.step = 0;
        self.await_next();
    }

    /// All that was done so far happens before all that is still to come: other threads have been joined, or there were none.
    pub fn settled(&mut self) {
        self.pages.clear();
        self.records.clear();
    }

    /// A thread creates another one.
    pub fn add_thread(&mut self, parent: usize, child: usize, stack: usize) {
        room::made(&mut self.births, child + 1);
        if self.births.len() <= child {
            self.births.resize(child + 1, None);
        }
        self.births[child] = Some(Birth { parent, stack });
    }

    /// Tells an access, before or after it is made.
    #[inline(always)]
    pub fn access(&mut self, now: Now<'_>, place: usize, address: usize, size: u32, kind: Kind) -> Seen {
        self.step = self.step.wrapping_add(1);
        if self.step == self.awaited {
            return self.access_watched(now, place, address, size, kind);
        }
        let (offset, bytes) = (address % GRANULE, size as usize);
        if offset + bytes <= GRANULE {
            let mask = mask(offset..offset + bytes);
            if let Some(cell) = self.pages.near(address / GRANULE) {
                if self.records.has(self.pages.first(cell), now, place, kind, mask) {
                    return Seen::Nothing;
                }
                // Nobody else was there, so there is nothing to compare with.
                if let Some(first) = self.pages.first_of(cell, now.thread)
                    && self.records.renew(first, place, kind, Later { epoch: now.epoch, size, step: self.step, mask })
                {
                    return Seen::Nothing;
                }
            }
        }
        self.note(now, place, address, size, kind)
    }

    /// As `access`, of any size. Of what is very large only the beginning is judged, and that it was is counted as missed: each
    /// granule has its say, and the program waits meanwhile.
    pub fn range(&mut self, now: Now<'_>, place: usize, address: usize, size: usize, kind: Kind) -> Seen {
        self.records.missed += u64::from(size > LARGEST);
        self.access(now, place, address, size.min(LARGEST) as u32, kind)
    }

    /// The program frees a block: whoever uses it in no order with that makes a race.
    pub fn freed(&mut self, now: Now<'_>, place: usize, address: usize, size: usize) -> Seen {
        self.range(now, place, address, size, Kind::FREE)
    }

    /// The program is given a block, which nobody has used before.
    pub fn allocated(&mut self, thread: usize, stack: usize, address: usize, size: usize) {
        self.forget(address, size);
        self.findings.blocks.allocated(address, size, thread, stack);
    }

    /// That memory, which is in no block, is the program's, and begins anew: the stack of a thread.
    pub fn begins(&mut self, range: Range<usize>) {
        self.forget(range.start, range.len());
        self.findings.blocks.add_range(range);
    }

    /// What is in that memory may be raced for.
    pub fn are_meant(&mut self, range: Range<usize>) {
        self.findings.blocks.add_meant(range);
    }

    /// The block is given back in a way that does not tell who is given it next.
    pub fn given_back(&mut self, address: usize, size: usize) {
        self.forget(address, size);
        self.findings.blocks.forget(address);
    }

    /// Nothing that was done to that memory counts any more.
    fn forget(&mut self, address: usize, size: usize) {
        if size == 0 {
            return;
        }
        let end = address.saturating_add(size);
        let (first, last) = (address / GRANULE, (end - 1) / GRANULE);
        let Self { pages, records, .. } = self;
        pages.each_known(first..last + 1, |granule, head| {
            let start = granule * GRANULE;
            let (from, to) = (address.max(start), end.min(start.saturating_add(GRANULE)));
            records.forget(head, mask(from - start..to - start))
        });
    }

    /// A thread has taken a lock.
    pub fn locked(&mut self, thread: usize, stack: usize, lock: usize, is_shared: bool) {
        if self.is_watched() {
            self.locks.locked(thread, Held { lock, stack, is_shared });
        }
    }

    /// A thread gives up a lock.
    pub fn unlocked(&mut self, thread: usize, lock: usize) {
        if self.is_watched() {
            self.locks.unlocked(thread, lock);
        }
    }

    /// How a thread came to be; `None` for the first.
    #[must_use]
    pub fn birth(&self, thread: usize) -> Option<Birth> {
        self.births.get(thread).copied().flatten()
    }

    /// The races of this execution so far, each pair of places once.
    #[must_use]
    pub fn races(&self) -> &[Race] {
        self.findings.races()
    }

    /// What was missed in this execution.
    #[must_use]
    pub fn missed(&self) -> Missed {
        Missed { accesses: self.records.missed + self.pages.missed, races: self.findings.missed }
    }

    /// Watches for the accesses of these steps from the next execution on, which must be one that was seen before. Only then
    /// is it known which block races are in and which locks were held.
    pub fn watch(&mut self, steps: Vec<u32>) {
        self.watched = steps;
    }

    #[inline]
    fn is_watched(&self) -> bool {
        !self.watched.is_empty()
    }

    fn await_next(&mut self) {
        self.awaited = self.watched.iter().copied().filter(|step| *step > self.step).min().unwrap_or_default();
    }

    /// An access that is watched for.
    #[cold]
    fn access_watched(&mut self, now: Now<'_>, place: usize, address: usize, size: u32, kind: Kind) -> Seen {
        let watch = self.watched.iter().position(|step| *step == self.step);
        self.await_next();
        let seen = self.note(now, place, address, size, kind);
        watch.map_or(seen, Seen::Watched)
    }

    /// An access that may change what is known.
    #[inline(never)]
    fn note(&mut self, now: Now<'_>, place: usize, address: usize, size: u32, kind: Kind) -> Seen {
        let (granule, offset) = (address / GRANULE, address % GRANULE);
        if offset + size as usize > GRANULE {
            return self.note_several(now, place, address, size, kind);
        }
        let known = self.begin_note();
        let mask = mask(offset..offset + size as usize);
        if mask != 0
            && let Some(cell) = self.pages.cell(granule)
        {
            let new = Record::new(now, place, size, kind, self.step, mask);
            let first = self.records.add(self.pages.first(cell), new, now.clock, granule, &mut self.findings);
            self.pages.set_first(cell, first, now.thread);
        }
        self.end_note(known)
    }

    /// An access to several granules.
    #[inline(never)]
    fn note_several(&mut self, now: Now<'_>, place: usize, start: usize, size: u32, kind: Kind) -> Seen {
        let known = self.begin_note();
        let end = start.saturating_add(size as usize);
        // What the last granule had and has that was accessed as a whole: in large ranges many have the same.
        let mut last: Option<(u32, u32)> = None;
        for granule in start / GRANULE..end.div_ceil(GRANULE) {
            let first = granule * GRANULE;
            let mask = mask(start.max(first) - first..end.min(first.saturating_add(GRANULE)) - first);
            let Some(cell) = self.pages.cell(granule) else { continue };
            let before = self.pages.first(cell);
            let is_whole = mask == u8::MAX;
            let after = match last {
                Some((same, after)) if is_whole && same == before && after != NONE => {
                    self.records.share(after);
                    after
                }
                _ => {
                    let new = Record::new(now, place, size, kind, self.step, mask);
                    self.records.add(before, new, now.clock, granule, &mut self.findings)
                }
            };
            last = is_whole.then_some((before, after));
            self.pages.set_first(cell, after, now.thread);
        }
        self.end_note(known)
    }

    /// How many races are known.
    #[inline]
    fn begin_note(&mut self) -> usize {
        if self.records.is_full_of_lost() {
            self.records.take_back_lost(|look| self.pages.each(look));
        }
        self.findings.races().len()
    }

    #[inline]
    fn end_note(&mut self, known: usize) -> Seen {
        if self.findings.races().len() == known {
            return Seen::Nothing;
        }
        if self.is_watched() {
            self.complete(known);
        }
        Seen::Race
    }

    #[cold]
    fn complete(&mut self, known: usize) {
        for race in self.findings.since(known) {
            let held = self.locks.held(race.later.thread);
            room::made(&mut race.held, held.len());
            race.held.extend_from_slice(held);
        }
    }
}

/// The bits of those bytes of a granule.
#[inline]
fn mask(bytes: Range<usize>) -> u8 {
    (((1_u32 << bytes.len()) - 1) << bytes.start) as u8
}
