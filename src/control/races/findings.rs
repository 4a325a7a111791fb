//! The races that were found, each pair of places once.

use std::ops::Range;

use super::blocks::{Block, Blocks};
use super::locks::Held;
use super::pages::GRANULE;
use super::record::Record;
use super::{Kind, room};

/// Detector of an execution that are kept.
const MOST: usize = 1024;
/// Places in the table of pairs, so that at most half of them are in use.
const SLOTS: usize = 2 * MOST;

/// One access of a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    pub thread: usize,
    pub kind: Kind,
    /// The place in the code.
    pub place: usize,
    /// Bytes from its own first one on, which may lie before those that race.
    pub size: u32,
    /// Which access of the execution it was, counted from 1: the same one whenever that is executed.
    pub step: u32,
}

/// A pair of accesses that race, the first such of their two places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Race {
    /// It was made first.
    pub earlier: Access,
    pub later: Access,
    /// The bytes of a granule that both accessed, from the first to the last.
    pub bytes: Range<usize>,
    /// The block that they are in, if it is one.
    pub block: Option<Block>,
    /// The locks that the later thread held, if the execution is watched.
    pub held: Vec<Held>,
}

pub struct Findings {
    races: Vec<Race>,
    /// Pairs of places by hash, the smaller one first, with the generation in which they were found.
    pairs: Box<[(usize, usize, u32)]>,
    generation: u32,
    pub blocks: Blocks,
    /// Those that were not kept, and what may have been some, in memory of which too little is known.
    pub missed: u64,
}

impl Findings {
    pub fn new() -> Self {
        Self {
            races: Vec::new(),
            pairs: vec![(0, 0, 0); SLOTS].into(),
            generation: 1,
            blocks: Blocks::new(),
            missed: 0,
        }
    }

    pub fn clear(&mut self) {
        self.races.clear();
        self.blocks.clear();
        self.missed = 0;
        self.generation = self.generation.checked_add(1).unwrap_or_else(|| {
            self.pairs.fill((0, 0, 0));
            1
        });
    }

    pub fn races(&self) -> &[Race] {
        &self.races
    }

    pub fn since(&mut self, known: usize) -> &mut [Race] {
        &mut self.races[known..]
    }

    /// Whether these places are not known to race.
    #[inline(never)]
    pub fn is_new(&self, one: usize, other: usize) -> bool {
        let (_, is_known) = self.slot(one, other);
        !is_known
    }

    /// The slot of a pair, and whether it is there.
    #[inline]
    fn slot(&self, one: usize, other: usize) -> (usize, bool) {
        let pair = (one.min(other), one.max(other), self.generation);
        let hash = (pair.0 ^ pair.1.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut slot = hash >> (usize::BITS - SLOTS.ilog2());
        while self.pairs[slot].2 == self.generation {
            if self.pairs[slot] == pair {
                return (slot, true);
            }
            slot = (slot + 1) % SLOTS;
        }
        (slot, false)
    }

    /// Adds the race of these two in bytes of a granule; it is new.
    #[cold]
    pub fn add(&mut self, earlier: &Record, later: &Record, granule: usize, common: u8) {
        let common = earlier.bytes_as_lowest(common);
        let (first, end) = (common.trailing_zeros() as usize, (u8::BITS - common.leading_zeros()) as usize);
        let bytes = granule * GRANULE + first..granule * GRANULE + end;
        if self.blocks.is_meant(bytes.start) {
            return;
        }
        if self.races.len() == MOST || !self.blocks.has(bytes.start) {
            self.missed += 1;
            return;
        }
        let (one, other) = (earlier.place, later.place);
        let (slot, _) = self.slot(one, other);
        self.pairs[slot] = (one.min(other), one.max(other), self.generation);
        let needed = self.races.len() + 1;
        room::made(&mut self.races, needed);
        let (earlier, later) = (earlier.access(first), later.access(first));
        let block = self.blocks.around(bytes.start);
        self.races.push(Race { earlier, later, bytes, block, held: Vec::new() });
    }
}
