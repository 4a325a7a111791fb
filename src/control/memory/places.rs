//! Numbers for addresses, which can be looked for one by one and by range.

use super::table::Table;

/// Bytes of memory of which it is known together which addresses have numbers.
const GRANULE: usize = 16;

/// Addresses in the order in which they were added, from 0.
pub(super) struct Places {
    numbers: Table,
    /// By granule: which of its bytes have numbers, as bits.
    granules: Table,
    addresses: Vec<usize>,
    count: usize,
    /// Bits for the granules of which some have numbers: of most places that are asked for none has.
    filter: u64,
}

/// The bit of a granule.
#[inline]
fn bit(granule: usize) -> u64 {
    1 << (granule.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - u64::BITS.ilog2()))
}

/// Where a search in a range has come to.
pub(super) struct Range {
    first: usize,
    last: usize,
    /// The next granule and what is left of the one before, or the next number of all.
    granule: usize,
    bits: u32,
    of_all: Option<usize>,
}

impl Places {
    pub(super) fn new(capacity: usize) -> Self {
        Self { numbers: Table::new(), granules: Table::new(), addresses: vec![0; capacity], count: 0, filter: 0 }
    }

    pub(super) fn begin(&mut self) {
        self.numbers.begin();
        self.granules.begin();
        self.count = 0;
        self.filter = 0;
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn capacity(&self) -> usize {
        self.addresses.len()
    }

    /// Whether there may be no room for one more.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        // There are at least as many addresses as granules.
        self.count >= self.addresses.len() || !self.numbers.has_room(1)
    }

    pub(super) fn grow(&mut self) {
        if self.count >= self.addresses.len() {
            self.addresses.resize(self.addresses.len() * 2, 0);
        }
        if !self.numbers.has_room(1) {
            self.numbers.grow();
            self.granules.grow();
        }
    }

    #[inline]
    pub(super) fn get(&self, address: usize) -> Option<u32> {
        self.numbers.get(address)
    }

    /// Gives a new address its number; there must be room.
    pub(super) fn add(&mut self, address: usize) -> u32 {
        let number = self.count as u32;
        self.filter |= bit(address / GRANULE);
        self.addresses[self.count] = address;
        self.count += 1;
        self.numbers.insert(address, number);
        let bits = self.granules.get(address / GRANULE).unwrap_or(0);
        self.granules.insert(address / GRANULE, bits | 1 << (address % GRANULE));
        number
    }

    /// Whether there may be any from `first` to `last`.
    #[inline]
    pub(super) fn may_have(&self, first: usize, last: usize) -> bool {
        let (first, last) = (first / GRANULE, last / GRANULE);
        last - first > 1 || self.filter & (bit(first) | bit(last)) != 0
    }

    /// Begins to look for all from `first` to `last`.
    #[inline]
    pub(super) fn range(&self, first: usize, last: usize) -> Range {
        let granules = last / GRANULE - first / GRANULE;
        let of_all = (granules >= self.count).then_some(0);
        Range { first, last, granule: first / GRANULE, bits: 0, of_all }
    }

    /// The next one that was found, by number.
    #[inline]
    pub(super) fn next(&self, range: &mut Range) -> Option<u32> {
        loop {
            let number = if let Some(number) = &mut range.of_all {
                let next = (*number < self.count).then_some(*number as u32)?;
                *number += 1;
                next
            } else if range.bits != 0 {
                let address = (range.granule - 1) * GRANULE + range.bits.trailing_zeros() as usize;
                range.bits &= range.bits - 1;
                self.numbers.get(address)?
            } else {
                if range.granule > range.last / GRANULE {
                    return None;
                }
                range.bits = self.granules.get(range.granule).unwrap_or(0);
                range.granule += 1;
                continue;
            };
            if (range.first..=range.last).contains(&self.addresses[number as usize]) {
                return Some(number);
            }
        }
    }
}
