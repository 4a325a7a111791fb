//! Numbers for things that have only addresses, in the order in which they first appear.

/// Numbers keys from 0 on. Addresses differ from one process to the next, but the order in which they appear does not,
/// so choices may depend on these numbers.
///
/// An open hash table, since it is asked at every scheduling point; it only grows while new things appear.
#[derive(Clone, Debug)]
pub struct Numbering {
    /// Key and number plus 1, which is 0 in empty slots; a power of 2 of them, at most half of them taken.
    slots: Vec<(u64, u32)>,
    len: u32,
}

/// Slots to begin with.
const SLOTS: usize = 256;

impl Numbering {
    #[must_use]
    pub fn new() -> Self {
        Self { slots: vec![(0, 0); SLOTS], len: 0 }
    }

    /// Keys numbered so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    pub fn clear(&mut self) {
        self.slots.fill((0, 0));
        self.len = 0;
    }

    /// The number of `key`, which is the next one if it is new.
    #[inline]
    pub fn number(&mut self, key: u64) -> u32 {
        let slot = self.slot(key);
        match self.slots[slot].1 {
            0 => self.add(slot, key),
            taken => taken - 1,
        }
    }

    /// The number of `key`, unless it is new and so many have one.
    #[inline]
    pub fn number_within(&mut self, key: u64, most: usize) -> Option<u32> {
        let slot = self.slot(key);
        match self.slots[slot].1 {
            0 if self.len() >= most => None,
            0 => Some(self.add(slot, key)),
            taken => Some(taken - 1),
        }
    }

    /// The number of `key`, if it has one.
    #[must_use]
    #[inline]
    pub fn get(&self, key: u64) -> Option<u32> {
        self.slots[self.slot(key)].1.checked_sub(1)
    }

    /// Where `key` is, or belongs.
    #[inline]
    fn slot(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        // The upper half of the product depends on every bit of the key.
        let mut slot = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        while self.slots[slot].1 != 0 && self.slots[slot].0 != key {
            slot = (slot + 1) & mask;
        }
        slot
    }

    #[cold]
    fn add(&mut self, slot: usize, key: u64) -> u32 {
        let number = self.len;
        self.slots[slot] = (key, number + 1);
        self.len += 1;
        if self.len() * 2 > self.slots.len() {
            let larger = vec![(0, 0); self.slots.len() * 2];
            for (key, taken) in std::mem::replace(&mut self.slots, larger) {
                if taken != 0 {
                    let slot = self.slot(key);
                    self.slots[slot] = (key, taken);
                }
            }
        }
        number
    }
}

impl Default for Numbering {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_numbered_in_the_order_in_which_they_first_appear() {
        let mut numbering = Numbering::new();
        let key = |index: u64| index.wrapping_mul(0xdead_beef_1234_5678);
        for round in 0..2 {
            for index in 0..5_000 {
                assert_eq!(numbering.number(key(index)), index as u32, "round {round}");
            }
        }
        assert_eq!(numbering.len(), 5_000);
        assert_eq!(numbering.get(key(4_999)), Some(4_999));
        assert_eq!(numbering.get(key(5_000)), None);
        assert_eq!(numbering.number_within(key(5_000), 5_000), None);
        assert_eq!(numbering.number_within(key(4_999), 5_000), Some(4_999));
        numbering.clear();
        assert_eq!(numbering.number(key(7)), 0);
    }
}
