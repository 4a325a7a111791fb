//! The memory that races are found in: the blocks of the heap, with who allocated each, and ranges that the program
//! has from elsewhere.
//!
//! Of other memory nobody knows when it begins anew: prebuilt code may have given it from one thread to another.

use std::ops::Range;

use super::room;

/// Blocks that are known at most, at addresses that differ.
const MOST: usize = 1 << 20;

/// A block of the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub address: usize,
    pub size: usize,
    pub thread: usize,
    /// The number of the stack by which it was allocated.
    pub stack: usize,
    /// Which allocation of the execution it was, counted from 1.
    pub number: u64,
}

#[derive(Clone, Copy)]
struct Slot {
    /// It is empty in any other.
    generation: u32,
    block: Block,
}

pub struct Blocks {
    generation: u32,
    /// Slots that are not empty.
    used: usize,
    /// By hash of the address; at most half of them are in use.
    slots: Vec<Slot>,
    allocations: u64,
    /// Memory that is in no block.
    ranges: Vec<Range<usize>>,
    /// Where races are meant.
    meant: Vec<Range<usize>>,
}

const EMPTY: Slot = Slot { generation: 0, block: Block { address: 0, size: 0, thread: 0, stack: 0, number: 0 } };

impl Blocks {
    pub fn new() -> Self {
        Self { generation: 1, used: 0, slots: vec![EMPTY; 256], allocations: 0, ranges: Vec::new(), meant: Vec::new() }
    }

    pub fn clear(&mut self) {
        (self.used, self.allocations) = (0, 0);
        self.ranges.clear();
        self.meant.clear();
        self.generation = self.generation.checked_add(1).unwrap_or_else(|| {
            self.slots.fill(EMPTY);
            1
        });
    }

    pub fn allocated(&mut self, address: usize, size: usize, thread: usize, stack: usize) {
        self.allocations += 1;
        let slot = self.slot(address);
        if self.slots[slot].generation != self.generation {
            if self.used == MOST {
                return;
            }
            self.used += 1;
        }
        let block = Block { address, size, thread, stack, number: self.allocations };
        self.slots[slot] = Slot { generation: self.generation, block };
        if self.used * 2 > self.slots.len() {
            self.grow();
        }
    }

    /// Nobody knows any more whose the block is.
    pub fn forget(&mut self, address: usize) {
        let slot = self.slot(address);
        if self.slots[slot].generation == self.generation {
            self.slots[slot].block.size = 0;
        }
    }

    pub fn add_range(&mut self, range: Range<usize>) {
        add(&mut self.ranges, range);
    }

    pub fn add_meant(&mut self, range: Range<usize>) {
        add(&mut self.meant, range);
    }

    pub fn is_meant(&self, address: usize) -> bool {
        self.meant.iter().any(|range| range.contains(&address))
    }

    /// Whether races are found there.
    pub fn has(&self, address: usize) -> bool {
        self.ranges.iter().any(|range| range.contains(&address)) || self.around(address).is_some()
    }

    /// The block that was last allocated around an address.
    pub fn around(&self, address: usize) -> Option<Block> {
        let known = self.slots.iter().filter(|slot| slot.generation == self.generation).map(|slot| slot.block);
        known
            .filter(|block| (block.address..block.address + block.size).contains(&address))
            .max_by_key(|block| block.number)
    }

    fn slot(&self, address: usize) -> usize {
        let mut slot = (address / 16).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - self.slots.len().ilog2());
        while self.slots[slot].generation == self.generation && self.slots[slot].block.address != address {
            slot = (slot + 1) % self.slots.len();
        }
        slot
    }

    #[cold]
    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        let mut slots = Vec::new();
        room::made(&mut slots, size);
        slots.resize(size, EMPTY);
        let old = std::mem::replace(&mut self.slots, slots);
        for slot in old.iter().filter(|slot| slot.generation == self.generation) {
            let place = self.slot(slot.block.address);
            self.slots[place] = *slot;
        }
        room::dropped(old);
    }
}

fn add(ranges: &mut Vec<Range<usize>>, range: Range<usize>) {
    if !ranges.contains(&range) {
        let needed = ranges.len() + 1;
        room::made(ranges, needed);
        ranges.push(range);
    }
}
