//! What is known of the accesses to each granule: records in lists, the newest first.
//!
//! To find every pair of places that race, a granule keeps for each byte every place and kind of access. A later access of
//! the same place takes the place of an earlier one that happens before it: whatever is not ordered with the earlier one is
//! not ordered with it either, so each pair is still seen. What is ordered by locks thus has as many records as the
//! program has places there, however many threads there are. Pairs that race already stay apart, by thread.
//!
//! Lists that belong to several granules, after an access to a large range, are never changed: they are copied.

use super::findings::Findings;
use super::record::{Fate, Later, Record};
use super::{Kind, Now, room};

/// No record, in a list.
pub const NONE: u32 = 0;
/// Records of a granule.
const LONGEST: u32 = 512;
/// Of those, the ones that are looked at first: enough for the places of most loops.
const RENEWED: usize = 8;
/// Records in all, as a rule: 160 MiB.
pub const MOST: usize = 1 << 22;

pub struct Records {
    /// The first is that of `NONE`.
    all: Vec<Record>,
    /// Of those, how many were in use since all was cleared.
    used: usize,
    /// A list of those that are free again.
    free: u32,
    /// Records that came to be shared since it was last looked for lost ones: when no list has them any more nobody notices.
    shared: usize,
    /// Records that were dropped, or not made, for want of room.
    pub missed: u64,
    /// Records that there can be.
    most: usize,
}

impl Records {
    pub fn new(most: usize) -> Self {
        Self { all: vec![Record::EMPTY], used: 1, free: NONE, shared: 0, missed: 0, most }
    }

    pub fn clear(&mut self) {
        (self.used, self.free, self.shared) = (1, NONE, 0);
    }

    /// Whether the newest records say all that this access would.
    #[inline]
    pub fn has(&self, first: u32, now: Now<'_>, place: usize, kind: Kind, mask: u8) -> bool {
        let record = &self.all[first as usize];
        record.says(now, place, kind, mask) || self.all[record.next as usize].says(now, place, kind, mask)
    }

    /// Makes of a record that such an access covers, of the same thread, that of the access, if the first of the list have one;
    /// whether they had.
    #[inline]
    pub fn renew(&mut self, first: u32, place: usize, kind: Kind, later: Later) -> bool {
        let mut link = first;
        for _ in 0..RENEWED {
            let record = &mut self.all[link as usize];
            if record.is_covered_by(place, kind, later.mask) {
                record.renew(later);
                return true;
            }
            link = record.next;
        }
        false
    }

    /// Adds a record to the list of a granule that begins with `first`, and the races that it makes; its thread has that
    /// clock. Where the list begins now.
    #[inline(always)]
    pub fn add(&mut self, mut first: u32, new: Record, clock: &[u32], granule: usize, findings: &mut Findings) -> u32 {
        let mut added = new;
        let (mut previous, mut link, mut length) = (NONE, first, 0);
        // Where those begin that are shared.
        let mut shared = None;
        while link != NONE {
            let record = &self.all[link as usize];
            if record.is_shared {
                shared.get_or_insert((previous, link, length));
            }
            let fate = new.fate_of(record, clock, granule, findings);
            match fate {
                Fate::Suffices if added.mask == new.mask => return first,
                // Unless the new one has taken others in.
                Fate::Suffices | Fate::Stays => {
                    (previous, link, length) = (link, record.next, length + 1);
                    continue;
                }
                Fate::Keeps(_) | Fate::Joins => {}
            }
            if let Some(start) = shared.take() {
                (previous, link, length) = start;
                link = self.copy(link);
                self.set_next(&mut first, previous, link);
                continue;
            }
            let record = &mut self.all[link as usize];
            match fate {
                Fate::Keeps(mask) if mask != 0 => {
                    record.mask = mask;
                    (previous, link, length) = (link, record.next, length + 1);
                }
                _ => {
                    if matches!(fate, Fate::Joins) {
                        added.join(record);
                    }
                    let next = record.next;
                    self.give_back(link);
                    self.set_next(&mut first, previous, next);
                    link = next;
                }
            }
        }
        if length >= LONGEST {
            first = self.without_oldest(first);
        }
        self.push(first, added)
    }

    /// Says that another granule has the list as well.
    pub fn share(&mut self, first: u32) {
        let mut link = first;
        while !self.all[link as usize].is_shared {
            self.shared += 1;
            self.all[link as usize].is_shared = true;
            link = self.all[link as usize].next;
        }
    }

    /// Forgets the accesses to those bytes; where the list begins now.
    pub fn forget(&mut self, mut first: u32, mask: u8) -> u32 {
        let (mut previous, mut link) = (NONE, first);
        while link != NONE {
            if self.all[link as usize].is_shared {
                link = if mask == u8::MAX { NONE } else { self.copy(link) };
                self.set_next(&mut first, previous, link);
                continue;
            }
            let record = &mut self.all[link as usize];
            record.mask &= !mask;
            let next = record.next;
            if record.mask == 0 {
                self.give_back(link);
                self.set_next(&mut first, previous, next);
            } else {
                previous = link;
            }
            link = next;
        }
        first
    }

    /// Whether there is no room, and there may be if what no list has any more is looked for.
    #[inline]
    pub fn is_full_of_lost(&self) -> bool {
        self.used == self.most && self.free == NONE && self.shared > self.most / 8
    }

    /// Takes back what none of the lists has that `each` gives.
    #[cold]
    pub fn take_back_lost(&mut self, each: impl FnOnce(&mut dyn FnMut(u32))) {
        let mut is_used = Vec::new();
        room::made(&mut is_used, self.all.len());
        is_used.resize(self.all.len(), false);
        is_used[NONE as usize] = true;
        each(&mut |first| {
            let mut link = first;
            while !std::mem::replace(&mut is_used[link as usize], true) {
                link = self.all[link as usize].next;
            }
        });
        for link in (0..self.used).filter(|link| !is_used[*link]) {
            self.give_back(link as u32);
        }
        room::dropped(is_used);
        self.shared = 0;
    }

    #[inline]
    fn set_next(&mut self, first: &mut u32, previous: u32, next: u32) {
        if previous == NONE { *first = next } else { self.all[previous as usize].next = next }
    }

    /// A copy of a list, for one granule alone; cut where there is no room.
    #[cold]
    fn copy(&mut self, list: u32) -> u32 {
        let (mut first, mut last, mut link) = (NONE, NONE, list);
        while link != NONE {
            let mut record = self.all[link as usize];
            record.is_shared = false;
            let copied = self.push(NONE, record);
            self.set_next(&mut first, last, copied);
            if copied == NONE {
                break;
            }
            (last, link) = (copied, record.next);
        }
        first
    }

    #[inline]
    fn give_back(&mut self, link: u32) {
        self.all[link as usize].next = self.free;
        self.free = link;
    }

    #[inline]
    fn push(&mut self, first: u32, mut record: Record) -> u32 {
        record.next = first;
        let link = self.free;
        let link = if link != NONE {
            self.free = self.all[link as usize].next;
            link
        } else if self.used < self.all.len() || self.grow() {
            self.used += 1;
            self.used as u32 - 1
        } else {
            self.missed += 1;
            return first;
        };
        self.all[link as usize] = record;
        link
    }

    #[cold]
    fn grow(&mut self) -> bool {
        let room = (self.all.len() * 2).max(1024).min(self.most);
        room::made(&mut self.all, room);
        self.all.resize(room, Record::EMPTY);
        self.used < room
    }

    /// Drops the oldest record of a list that is too long, or those that are shared.
    #[cold]
    fn without_oldest(&mut self, mut first: u32) -> u32 {
        let (mut previous, mut link) = (NONE, first);
        loop {
            let Record { next, is_shared, .. } = self.all[link as usize];
            if is_shared || next == NONE {
                break;
            }
            (previous, link) = (link, next);
        }
        self.set_next(&mut first, previous, NONE);
        if self.all[link as usize].is_shared {
            while link != NONE {
                self.missed += 1;
                link = self.all[link as usize].next;
            }
        } else {
            self.missed += 1;
            self.give_back(link);
        }
        first
    }
}
