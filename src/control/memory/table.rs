//! A hash table of one execution: words to numbers, emptied at once, never smaller.

/// Open addressing with linear probing; at most half full. Nothing is taken out before the next execution.
pub(super) struct Table {
    /// A power of two of them.
    slots: Vec<Slot>,
    /// Slots of other generations are empty.
    generation: u32,
    entries: usize,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    key: usize,
    generation: u32,
    value: u32,
}

impl Table {
    pub(super) fn new() -> Self {
        Self { slots: vec![Slot::default(); 256], generation: 1, entries: 0 }
    }

    pub(super) fn begin(&mut self) {
        self.entries = 0;
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.slots.fill(Slot::default());
            self.generation = 1;
        }
    }

    /// Whether there is room for `more`.
    #[inline]
    pub(super) fn has_room(&self, more: usize) -> bool {
        (self.entries + more) * 2 <= self.slots.len()
    }

    pub(super) fn grow(&mut self) {
        let larger = self.slots.len() * 2;
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); larger]);
        let generation = self.generation;
        self.entries = 0;
        for slot in old.into_iter().filter(|slot| slot.generation == generation) {
            self.insert(slot.key, slot.value);
        }
    }

    /// Where `key` is, or would be put.
    #[inline]
    fn position(&self, key: usize) -> usize {
        let mask = self.slots.len() - 1;
        // The golden ratio in 64 bits: neighbours are spread, and its high bits depend on all of the key.
        let mut at = ((key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        while self.slots[at].generation == self.generation && self.slots[at].key != key {
            at = (at + 1) & mask;
        }
        at
    }

    #[inline]
    pub(super) fn get(&self, key: usize) -> Option<u32> {
        let slot = &self.slots[self.position(key)];
        (slot.generation == self.generation).then_some(slot.value)
    }

    /// Adds or replaces; there must be room.
    pub(super) fn insert(&mut self, key: usize, value: u32) {
        let at = self.position(key);
        if self.slots[at].generation != self.generation {
            self.entries += 1;
        }
        self.slots[at] = Slot { key, generation: self.generation, value };
    }
}
