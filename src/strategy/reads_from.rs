//! Who reads from whom: pairs of places in the code, seen in executions or possible.

use super::{Dice, Numbering};
use crate::model::execution::ThreadId;
use crate::model::op::Op;

/// An operation in the code: its kind and place, or where the place is not known, its kind and object. Numbered from 1
/// on in the order of appearance.
pub type Site = u16;

/// The site of whatever was there before the first write.
pub const AT_FIRST: Site = 0;

/// A read and where what it reads was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    pub write: Site,
    pub read: Site,
}

impl Pair {
    fn key(self) -> u64 {
        u64::from(self.write) << 16 | u64::from(self.read)
    }
}

/// Sites, objects and pairs that are told apart: at most.
const MOST_SITES: usize = Site::MAX as usize;
const MOST_OBJECTS: usize = 1 << 16;
const MOST_PAIRS: usize = 1 << 16;
/// Sites of reads, and of writes, that are known of an object.
const SITES_OF_AN_OBJECT: usize = 8;
/// A pair that was seen in no more executions than that is news.
const RARE: u32 = 2;
/// One pair in so many is drawn from all, not from those that were seen least.
const ANY_PAIR_ODDS: u64 = 3;

/// What is known of an object.
#[derive(Clone, Debug)]
struct Object {
    /// The part of an execution in which it was written last, and where.
    written_in: u64,
    written: Site,
    /// The thread that used it first, and whether there was another one: what one thread uses alone is of no interest.
    first: ThreadId,
    shared: bool,
    reads: Few,
    writes: Few,
}

/// A few sites.
#[derive(Clone, Debug, Default)]
struct Few {
    sites: [Site; SITES_OF_AN_OBJECT],
    len: u8,
}

impl Few {
    fn as_slice(&self) -> &[Site] {
        &self.sites[..usize::from(self.len)]
    }

    /// Adds a site that is not there, if there is room; whether it did.
    #[inline]
    fn add(&mut self, site: Site) -> bool {
        if self.as_slice().contains(&site) || usize::from(self.len) == SITES_OF_AN_OBJECT {
            return false;
        }
        self.sites[usize::from(self.len)] = site;
        self.len += 1;
        true
    }
}

/// What is known of a pair.
#[derive(Clone, Debug)]
struct Known {
    pair: Pair,
    /// Executions that showed it, and the last of them.
    seen: u32,
    last: u64,
    /// How often it was drawn.
    drawn: u32,
}

/// Watches the operations of executions.
pub struct Observer {
    execution: u64,
    /// Grows with every execution, and when all threads were joined: what was written before was there at first.
    part: u64,
    sites: Numbering,
    objects: Numbering,
    of_objects: Vec<Object>,
    pairs: Numbering,
    of_pairs: Vec<Known>,
    /// This execution showed a rare pair.
    news: bool,
}

impl Observer {
    #[must_use]
    pub fn new() -> Self {
        Self {
            execution: 0,
            part: 0,
            sites: Numbering::new(),
            objects: Numbering::new(),
            of_objects: Vec::new(),
            pairs: Numbering::new(),
            of_pairs: Vec::new(),
            news: false,
        }
    }

    pub fn forget(&mut self) {
        self.sites.clear();
        self.objects.clear();
        self.of_objects.clear();
        self.pairs.clear();
        self.of_pairs.clear();
        self.news = false;
    }

    /// A new execution begins.
    pub fn begin(&mut self) {
        self.execution += 1;
        self.news = false;
        self.part_begins();
    }

    /// What is written from now on is told from what was written before.
    pub fn part_begins(&mut self) {
        self.part += 1;
    }

    /// Whether the execution showed a pair that few showed before.
    #[must_use]
    pub fn news(&self) -> bool {
        self.news
    }

    /// A thread makes an operation; the pair that it makes with the last write, if it reads.
    pub fn made(&mut self, thread: ThreadId, made: &Op) -> Option<Pair> {
        if !counts(made) {
            return None;
        }
        let number = self.objects.number_within(made.object as u64, MOST_OBJECTS)?;
        let site = self.sites.number_within(site_key(made, number), MOST_SITES)? as Site + 1;
        if number as usize == self.of_objects.len() {
            let (reads, writes) = (Few::default(), Few::default());
            self.of_objects.push(Object {
                written_in: 0,
                written: AT_FIRST,
                first: thread,
                shared: false,
                reads,
                writes,
            });
        }
        let object = &mut self.of_objects[number as usize];
        let mut grown = !object.shared && object.first != thread;
        object.shared |= grown;
        let written = if object.written_in == self.part { object.written } else { AT_FIRST };
        let reads = made.kind.reads();
        if reads {
            grown |= object.reads.add(site);
        }
        if made.kind.changes() {
            grown |= object.writes.add(site);
            object.written = site;
            object.written_in = self.part;
        }
        if grown && object.shared {
            self.pair_up(number);
        }
        if !reads {
            return None;
        }
        let pair = Pair { write: written, read: site };
        if let Some(known) = self.pairs.get(pair.key()).map(|pair| &mut self.of_pairs[pair as usize])
            && known.last != self.execution
        {
            known.last = self.execution;
            known.seen += 1;
            self.news |= known.seen <= RARE;
        }
        Some(pair)
    }

    /// The site of an operation that is about to be made, and where its object was written last.
    #[inline]
    pub fn look(&self, pending: &Op) -> Option<(Site, Site)> {
        if !counts(pending) {
            return None;
        }
        let number = self.objects.get(pending.object as u64);
        let site = match number {
            Some(number) => self.sites.get(site_key(pending, number))?,
            None if pending.place != 0 => self.sites.get(site_key(pending, 0))?,
            None => return None,
        };
        let object = number.map(|number| &self.of_objects[number as usize]);
        let written = object.filter(|object| object.written_in == self.part).map_or(AT_FIRST, |object| object.written);
        Some((site as Site + 1, written))
    }

    /// Whether the write may be what the read reads.
    #[inline]
    pub fn are_paired(&self, write: Site, read: Site) -> bool {
        self.pairs.get(Pair { write, read }.key()).is_some()
    }

    /// A pair to ask for: of a few, the one that was seen and asked for least.
    pub fn draw(&mut self, dice: &mut Dice) -> Option<Pair> {
        let count = self.of_pairs.len() as u64;
        if count == 0 {
            return None;
        }
        let mut best = dice.below(count) as usize;
        if !dice.one_in(ANY_PAIR_ODDS) {
            let other = dice.below(count) as usize;
            let weight = |known: &Known| known.seen.saturating_add(known.drawn);
            if weight(&self.of_pairs[other]) < weight(&self.of_pairs[best]) {
                best = other;
            }
        }
        self.of_pairs[best].drawn += 1;
        Some(self.of_pairs[best].pair)
    }

    /// Every read of the object may read from every write, and from what was there at first.
    #[cold]
    fn pair_up(&mut self, number: u32) {
        let object = &self.of_objects[number as usize];
        for &read in object.reads.as_slice() {
            for &write in std::iter::once(&AT_FIRST).chain(object.writes.as_slice()) {
                let pair = Pair { write, read };
                let known = self.pairs.number_within(pair.key(), MOST_PAIRS);
                if known.is_some_and(|known| known as usize == self.of_pairs.len()) {
                    self.of_pairs.push(Known { pair, seen: 0, last: 0, drawn: 0 });
                }
            }
        }
    }
}

impl Default for Observer {
    fn default() -> Self {
        Self::new()
    }
}

fn counts(pending: &Op) -> bool {
    pending.object != 0 && !pending.kind.is_of_threads()
}

/// Places are addresses too, and far below 2^56.
fn site_key(pending: &Op, object: u32) -> u64 {
    let place = if pending.place == 0 { u64::from(object) << 1 | 1 } else { (pending.place as u64) << 1 };
    place << 7 ^ pending.kind as u64
}
