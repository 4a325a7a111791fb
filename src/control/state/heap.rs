//! Which memory of a program's heap is free, where no sanitizer knows.
//!
//! What the program frees is kept back until the execution ends, and handed out again to the program alone, the block that
//! was freed last first, as glibc does with small blocks. So a block that is kept is nobody's, for certain.

mod large;

use large::Large;

/// Blocks up to this size have classes, in bytes that can be used.
const LARGEST: usize = 4096;
/// Usable sizes of glibc's blocks: 24, 40, 56 and so on.
const SMALLEST: usize = 24;
const STEP: usize = 16;
const CLASSES: usize = (LARGEST - SMALLEST) / STEP + 1;
/// Blocks that are known, at addresses that differ. Those above are as if the program were not watched.
const SLOTS: usize = 1 << 15;
const MOST: usize = SLOTS / 2;
/// Counters of kept blocks, by the 16 bytes of memory that they cover.
const GRANULES: usize = 1 << 16;
/// What the start of a free block says: glibc writes there too, but not the same in each process.
const FREE: [u8; 16] = [0xdf; 16];

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is known of it.
    Unknown,
    Used,
    /// Kept, with the slot plus one of the next block of its class, or 0.
    Kept {
        class: u16,
        next: u16,
    },
    /// Kept among the large ones.
    KeptApart,
}

#[derive(Clone, Copy)]
struct Slot {
    /// 0 if it is empty.
    address: usize,
    state: State,
}

const EMPTY: Slot = Slot { address: 0, state: State::Unknown };

/// What came of the wish to free a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freed {
    Kept,
    /// It is not the heap's business.
    Unknown,
    /// It was free.
    Twice,
}

pub struct Heap {
    slots: Box<[Slot]>,
    /// Slots that are not empty.
    used: Vec<u16>,
    /// The slot plus one of the block that was freed last, or 0.
    last: [u16; CLASSES],
    granules: Box<[u16]>,
    large: Large,
}

impl Heap {
    pub fn new() -> Self {
        Self {
            slots: vec![EMPTY; SLOTS].into(),
            used: Vec::with_capacity(MOST),
            last: [0; CLASSES],
            granules: vec![0; GRANULES].into(),
            large: Large::new(),
        }
    }

    /// The slot of an address, or where it would be.
    fn find(&self, address: usize) -> usize {
        let mut slot = (address / STEP).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - SLOTS.ilog2());
        while self.slots[slot].address != 0 && self.slots[slot].address != address {
            slot = (slot + 1) % SLOTS;
        }
        slot
    }

    fn state(&self, address: usize) -> State {
        self.slots[self.find(address)].state
    }

    /// The program was given a block that it had not before.
    pub fn made(&mut self, address: usize) {
        let slot = self.find(address);
        if self.slots[slot].address == 0 {
            if address == 0 || self.used.len() == MOST {
                return;
            }
            self.used.push(slot as u16);
        }
        self.slots[slot] = Slot { address, state: State::Used };
    }

    /// The block was freed without the heap, to be used by anyone.
    pub fn forget(&mut self, address: usize) {
        let slot = self.find(address);
        self.slots[slot].state = State::Unknown;
    }

    /// The program frees a block; `usable` gives how many bytes of it can be used.
    ///
    /// # Safety
    /// It is one that the program may write to, if it was `made`.
    pub unsafe fn free(&mut self, address: usize, usable: impl FnOnce() -> usize) -> Freed {
        let slot = self.find(address);
        match self.slots[slot].state {
            State::Kept { .. } | State::KeptApart => return Freed::Twice,
            State::Unknown => return Freed::Unknown,
            State::Used => {}
        }
        let size = usable();
        // SAFETY: the caller's promise, and it is larger.
        let mark = || unsafe { (address as *mut [u8; 16]).write(FREE) };
        if size > LARGEST && self.large.keep(address, size) {
            self.slots[slot].state = State::KeptApart;
            mark();
            return Freed::Kept;
        }
        if !(SMALLEST..=LARGEST).contains(&size) || size % STEP != SMALLEST % STEP {
            self.slots[slot].state = State::Unknown;
            return Freed::Unknown;
        }
        let class = (size - SMALLEST) / STEP;
        self.slots[slot].state = State::Kept { class: class as u16, next: self.last[class] };
        self.last[class] = slot as u16 + 1;
        self.cover(address, class, 1);
        mark();
        Freed::Kept
    }

    /// Hands out a kept block, of the class that glibc would take for so many bytes if it has one.
    pub fn take(&mut self, size: usize) -> Option<usize> {
        if size > LARGEST {
            let address = self.large.take(size)?;
            self.made(address);
            return Some(address);
        }
        let class = size.max(SMALLEST).checked_sub(SMALLEST)?.div_ceil(STEP);
        let slot = usize::from(*self.last.get(class)?).checked_sub(1)?;
        let Slot { address, state: State::Kept { next, .. } } = self.slots[slot] else { return None };
        self.last[class] = next;
        self.slots[slot].state = State::Used;
        self.cover(address, class, u16::MAX);
        Some(address)
    }

    /// Adds to the counters of what a block covers.
    fn cover(&mut self, address: usize, class: usize, number: u16) {
        for granule in address / STEP..(address + SMALLEST + class * STEP).div_ceil(STEP) {
            let counter = &mut self.granules[granule % GRANULES];
            *counter = counter.wrapping_add(number);
        }
    }

    /// Whether an address is in a kept block.
    #[inline]
    pub fn is_free(&self, address: usize) -> bool {
        self.granules[address / STEP % GRANULES] != 0 && self.is_in_kept_block(address) || self.large.contains(address)
    }

    #[cold]
    fn is_in_kept_block(&self, address: usize) -> bool {
        let first = address & !(STEP - 1);
        (0..=LARGEST / STEP).any(|steps| {
            let start = first.wrapping_sub(steps * STEP);
            match self.state(start) {
                State::Kept { class, .. } => address - start < SMALLEST + usize::from(class) * STEP,
                _ => false,
            }
        })
    }

    /// The execution is over: gives each block that is kept to `free`, and knows nothing any more.
    pub fn end(&mut self, mut free: impl FnMut(usize)) {
        if self.used.is_empty() {
            return;
        }
        for index in 0..self.used.len() {
            let slot = usize::from(self.used[index]);
            let Slot { address, state } = std::mem::replace(&mut self.slots[slot], EMPTY);
            match state {
                State::Kept { class, .. } => self.cover(address, class.into(), u16::MAX),
                State::KeptApart => {}
                State::Unknown | State::Used => continue,
            }
            free(address);
        }
        self.used.clear();
        self.large.clear();
        self.last.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    #[repr(align(16))]
    struct Block([u8; 48]);

    #[test]
    fn what_is_freed_is_free_until_it_is_handed_out_again_the_last_one_first() {
        let mut memory = [Block([0; 48]); 4];
        let blocks: Vec<usize> = memory.iter_mut().map(|block| block.0.as_mut_ptr() as usize).collect();
        let mut heap = Heap::new();
        for block in &blocks[..3] {
            heap.made(*block);
        }
        // SAFETY: memory of this test.
        let free = |heap: &mut Heap, block: usize| unsafe { heap.free(blocks[block], || 40) };
        assert_eq!(free(&mut heap, 0), Freed::Kept);
        assert_eq!(free(&mut heap, 1), Freed::Kept);
        assert_eq!(free(&mut heap, 1), Freed::Twice);
        assert_eq!(free(&mut heap, 3), Freed::Unknown);
        assert!(heap.is_free(blocks[0] + 39) && heap.is_free(blocks[1]));
        assert!(!heap.is_free(blocks[0] + 40) && !heap.is_free(blocks[2]) && !heap.is_free(blocks[0] - 1));
        assert_eq!(heap.take(24), None, "glibc has another class for that");
        assert_eq!(heap.take(25), Some(blocks[1]));
        assert!(!heap.is_free(blocks[1]));
        assert_eq!(heap.take(40), Some(blocks[0]));
        assert_eq!(heap.take(40), None);
        assert_eq!(free(&mut heap, 2), Freed::Kept);
        let mut left = Vec::new();
        heap.end(|block| left.push(block));
        assert_eq!(left, [blocks[2]]);
        assert!(!heap.is_free(blocks[2]));
        assert!(heap.granules.iter().all(|counter| *counter == 0));
    }

    #[test]
    fn large_blocks_are_kept_as_well_as_far_as_there_is_room() {
        const SIZE: usize = 1 << 20;
        let mut memory = vec![0_u8; 20 * SIZE];
        let block = |memory: &mut Vec<u8>, number: usize| memory[number * SIZE..].as_mut_ptr() as usize;
        let blocks: Vec<usize> = (0..20).map(|number| block(&mut memory, number)).collect();
        let mut heap = Heap::new();
        blocks.iter().for_each(|block| heap.made(*block));
        // SAFETY: memory of this test.
        let free = |heap: &mut Heap, number: usize| unsafe { heap.free(blocks[number], || SIZE) };
        assert!((0..16).all(|number| free(&mut heap, number) == Freed::Kept));
        assert_eq!((free(&mut heap, 15), free(&mut heap, 16)), (Freed::Twice, Freed::Unknown));
        assert!(heap.is_free(blocks[0]) && heap.is_free(blocks[15] + SIZE - 1) && !heap.is_free(blocks[16]));
        assert_eq!((heap.take(SIZE + 1), heap.take(SIZE - 4096)), (None, None));
        assert_eq!(heap.take(SIZE - 4095), Some(blocks[15]));
        assert!(!heap.is_free(blocks[15]) && heap.is_free(blocks[14]));
        assert_eq!(free(&mut heap, 15), Freed::Kept);
        let mut left = Vec::new();
        heap.end(|block| left.push(block));
        assert_eq!(left, blocks[..16]);
        assert!(!heap.is_free(blocks[0]));
    }
}
