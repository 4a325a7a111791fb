//! What is kept of an access to a granule, and what becomes of it when there is another one.

use super::findings::{Access, Findings};
use super::pages::GRANULE;
use super::records::NONE;
use super::{Kind, Now};

/// The last access of a thread at a place, to some bytes of a granule: several, if they were made in one epoch.
#[derive(Clone, Copy)]
pub struct Record {
    pub place: usize,
    /// The last of them.
    pub step: u32,
    pub size: u32,
    pub epoch: u32,
    /// The next record of the granule.
    pub next: u32,
    /// By byte, how many steps before the last one it was accessed: 8 bits each.
    back: u64,
    pub thread: u16,
    pub kind: Kind,
    /// The bytes.
    pub mask: u8,
    /// Other granules have it, too, and all that follow it.
    pub is_shared: bool,
}

/// What a later access of the same thread, place and kind has of its own.
pub struct Later {
    pub epoch: u32,
    pub size: u32,
    pub step: u32,
    pub mask: u8,
}

/// What becomes of a record when there is a new one.
#[derive(Clone, Copy)]
pub enum Fate {
    /// It is as it was.
    Stays,
    /// The new one says nothing that it does not say.
    Suffices,
    /// The new one takes it in.
    Joins,
    /// The new one covers it, but for these bytes.
    Keeps(u8),
}

impl Record {
    /// That of `NONE`, which equals no access.
    pub const EMPTY: Self = Self {
        place: 0,
        step: 0,
        size: 0,
        epoch: 0,
        next: NONE,
        back: 0,
        thread: 0,
        kind: Kind::READ,
        mask: 0,
        is_shared: true,
    };

    #[inline]
    pub fn new(now: Now<'_>, place: usize, size: u32, kind: Kind, step: u32, mask: u8) -> Self {
        let (epoch, thread) = (now.epoch, now.thread as u16);
        Self { place, step, size, epoch, next: NONE, back: 0, thread, kind, mask, is_shared: false }
    }

    /// Whether it says all that such an access to those bytes would.
    #[inline]
    pub fn says(&self, now: Now<'_>, place: usize, kind: Kind, mask: u8) -> bool {
        self.mask & mask == mask
            && self.epoch == now.epoch
            && self.place == place
            && self.thread == now.thread as u16
            && self.kind == kind
    }

    fn back(&self, byte: usize) -> u8 {
        self.back.to_le_bytes()[byte]
    }

    /// The access that was made last to a byte.
    pub fn access(&self, byte: usize) -> Access {
        let Self { thread, kind, place, size, .. } = *self;
        Access { thread: thread.into(), kind, place, size, step: self.step.wrapping_sub(self.back(byte).into()) }
    }

    /// The bytes among these that were accessed as the lowest of them.
    pub fn bytes_as_lowest(&self, mask: u8) -> u8 {
        let lowest = self.back(mask.trailing_zeros() as usize);
        (0..GRANULE).filter(|byte| self.back(*byte) == lowest).fold(0, |bytes, byte| bytes | 1 << byte) & mask
    }

    /// The bytes and how far back they are when it takes in another one, of the same thread and place in the same epoch.
    pub fn joined(&self, other: &Self) -> (u8, u64) {
        let mut back = self.back.to_le_bytes();
        for (byte, back) in back.iter_mut().enumerate() {
            if other.mask & !self.mask & 1 << byte != 0 {
                *back = self.step.wrapping_sub(other.step) as u8 + other.back(byte);
            }
        }
        (self.mask | other.mask, u64::from_le_bytes(back))
    }

    pub fn join(&mut self, other: &Self) {
        let copy = *self;
        (self.mask, self.back) = copy.joined(other);
    }

    /// Whether whoever races with it races with such an access, too, which its thread makes later.
    #[inline]
    pub fn is_covered_by(&self, place: usize, kind: Kind, mask: u8) -> bool {
        self.place == place && self.mask & !mask == 0 && self.kind == kind && !self.is_shared
    }

    /// Makes it that of a later access which covers it.
    #[inline]
    pub fn renew(&mut self, later: Later) {
        let Later { epoch, size, step, mask } = later;
        (self.epoch, self.size, self.step, self.mask, self.back) = (epoch, size, step, mask, 0);
    }

    /// Whether that can be told. Halves stay apart: each is then renewed as it is.
    #[inline]
    fn can_join(&self, other: &Self) -> bool {
        if self.size >= GRANULE as u32 / 2 {
            return false;
        }
        let most = other.back.to_le_bytes().into_iter().max().unwrap_or_default();
        self.size == other.size && self.step.wrapping_sub(other.step) <= u32::from(u8::MAX - most)
    }

    /// Whether both were made at the same place by accesses of the same kind.
    #[inline]
    fn is_like(&self, other: &Self) -> bool {
        self.place == other.place && self.kind == other.kind
    }

    /// What becomes of one of the same granule, when this one comes, by a thread with that clock; they may race.
    #[inline(always)]
    pub fn fate_of(&self, record: &Self, clock: &[u32], granule: usize, findings: &mut Findings) -> Fate {
        let common = record.mask & self.mask;
        if record.thread == self.thread {
            if record.epoch == self.epoch && record.is_like(self) {
                if common == self.mask {
                    return Fate::Suffices;
                }
                if self.can_join(record) {
                    return Fate::Joins;
                }
            }
        } else if common == 0 {
            return Fate::Stays;
        } else if clock.get(usize::from(record.thread)).is_none_or(|acquired| *acquired <= record.epoch) {
            if record.kind.conflicts_with(self.kind) && findings.is_new(record.place, self.place) {
                // A copy, or what is compared here would have to be in memory.
                let later = *self;
                findings.add(record, &later, granule, common);
            }
            return Fate::Stays;
        }
        if common != 0 && self.is_like(record) { Fate::Keeps(record.mask & !self.mask) } else { Fate::Stays }
    }
}
