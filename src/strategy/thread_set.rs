//! A set of threads that a strategy chooses from.

use crate::model::execution::ThreadId;

const WORDS: usize = 16;
const BITS: usize = u64::BITS as usize;

/// Threads in ascending order, as bits. Threads come and go all the time: unlike a vector's, its changes
/// move no memory, which TSan would see (see `control::sanitizer`).
#[derive(Clone, Debug, Default)]
pub struct ThreadSet {
    words: [u64; WORDS],
    len: usize,
    /// Every word from here on is 0.
    used: usize,
}

impl ThreadSet {
    /// Threads that a set can hold: those below.
    pub const CAPACITY: usize = WORDS * BITS;

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a thread below [`Self::CAPACITY`] that is not in the set.
    pub fn insert(&mut self, thread: ThreadId) {
        let word = usize::from(thread) / BITS;
        self.words[word] |= 1 << (usize::from(thread) % BITS);
        self.used = self.used.max(word + 1);
        self.len += 1;
    }

    /// Removes a thread that is in the set.
    pub fn remove(&mut self, thread: ThreadId) {
        self.words[usize::from(thread) / BITS] &= !(1 << (usize::from(thread) % BITS));
        self.len -= 1;
    }

    /// Whether the thread, which may be any, is in the set.
    #[must_use]
    pub fn contains(&self, thread: ThreadId) -> bool {
        let word = self.words.get(usize::from(thread) / BITS).copied().unwrap_or_default();
        word & 1 << (usize::from(thread) % BITS) != 0
    }

    /// The thread at a position below `len`, in ascending order.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    #[inline]
    pub fn at(&self, position: usize) -> ThreadId {
        if position < self.len && self.used <= 1 { nth_bit(self.words[0], position) } else { self.at_far(position) }
    }

    #[inline(never)]
    fn at_far(&self, mut position: usize) -> ThreadId {
        for (index, &word) in self.words[..self.used].iter().enumerate() {
            let count = word.count_ones() as usize;
            if position < count {
                return (index * BITS) as ThreadId + nth_bit(word, position);
            }
            position -= count;
        }
        panic!("no thread at this position of a set of {}", self.len)
    }

    /// The first thread after this one, or the first of all; `None` if the set is empty.
    #[must_use]
    pub fn after(&self, thread: ThreadId) -> Option<ThreadId> {
        self.iter().find(|&other| other > thread).or_else(|| self.iter().next())
    }

    /// All threads, ascending.
    pub fn iter(&self) -> impl Iterator<Item = ThreadId> {
        self.words[..self.used].iter().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some((index * BITS + bit) as ThreadId)
            })
        })
    }
}

/// The places of the bits of each number below 16.
const FEW: [[u8; 4]; 16] = {
    let mut places = [[0; 4]; 16];
    let mut word = 0;
    while word < places.len() {
        let (mut bit, mut position) = (0, 0);
        while bit < 4 {
            if word & 1 << bit != 0 {
                places[word][position] = bit;
                position += 1;
            }
            bit += 1;
        }
        word += 1;
    }
    places
};

/// The place of the bit that so many lower ones come before; there is one.
#[inline]
fn nth_bit(mut word: u64, position: usize) -> ThreadId {
    // A table, since how often a loop goes round that depends on a random number cannot be predicted.
    if let Some(places) = FEW.get(word as usize) {
        return places[position].into();
    }
    for _ in 0..position {
        word &= word - 1;
    }
    word.trailing_zeros() as ThreadId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_keeps_threads_in_ascending_order() {
        let mut set = ThreadSet::default();
        for thread in [700, 3, 64, 0, 63] {
            set.insert(thread);
        }
        set.remove(63);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 3, 64, 700]);
        assert_eq!((0..set.len()).map(|position| set.at(position)).collect::<Vec<_>>(), [0, 3, 64, 700]);
        assert!(set.contains(64) && !set.contains(63));
        assert_eq!([set.after(0), set.after(64), set.after(700)], [Some(3), Some(700), Some(0)]);
    }

    #[test]
    fn an_empty_set_has_no_next_thread() {
        assert_eq!(ThreadSet::default().after(5), None);
    }
}
