//! Freed blocks that are too large for the classes of the heap: few, and each by itself.

/// Blocks that are kept, and bytes of them. What is freed beyond is not known.
const MOST: usize = 64;
const BYTES: usize = 16 << 20;
/// A block serves for what is so many bytes smaller.
const SLACK: usize = 4096;

struct Block {
    address: usize,
    size: usize,
}

#[derive(Default)]
pub struct Large {
    blocks: Vec<Block>,
    bytes: usize,
    /// All of them lie within these bounds, and mostly nothing else that is asked for.
    low: usize,
    high: usize,
}

impl Large {
    pub fn new() -> Self {
        Self { blocks: Vec::with_capacity(MOST), ..Self::default() }
    }

    /// Keeps a freed block, if there is room.
    pub fn keep(&mut self, address: usize, size: usize) -> bool {
        if self.blocks.len() == MOST || size > BYTES - self.bytes {
            return false;
        }
        if self.blocks.is_empty() {
            (self.low, self.high) = (address, address + size);
        }
        (self.low, self.high) = (self.low.min(address), self.high.max(address + size));
        self.bytes += size;
        self.blocks.push(Block { address, size });
        true
    }

    /// Hands out the last one that fits so many bytes.
    pub fn take(&mut self, size: usize) -> Option<usize> {
        let fits = |block: &Block| block.size >= size && block.size - size < SLACK;
        let place = self.blocks.iter().rposition(fits)?;
        let Block { address, size } = self.blocks.remove(place);
        self.bytes -= size;
        Some(address)
    }

    /// Whether an address is in one of them.
    #[inline]
    pub fn contains(&self, address: usize) -> bool {
        (self.low..self.high).contains(&address) && self.is_in_block(address)
    }

    #[cold]
    fn is_in_block(&self, address: usize) -> bool {
        self.blocks.iter().any(|block| (block.address..block.address + block.size).contains(&address))
    }

    pub fn clear(&mut self) {
        self.blocks.clear();
        (self.bytes, self.low, self.high) = (0, 0, 0);
    }
}
