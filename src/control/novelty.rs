//! Whether an execution that does not end still gets to something new, which tells work that is long from a livelock.
//!
//! Threads that get nowhere come back to the same memory by the same code: what they pass in a quarter of the step budget,
//! under fair scheduling, is all that they ever will. So in the third quarter of the budget every object and every place in
//! the code is written down, and in the fourth it is looked whether more keep turning up. Work that repeats itself exactly,
//! over and over, is still taken for a livelock, and retries that take fresh memory each time for work.

/// Slots of the table; a power of two. Two words can come of each of the half million points that are looked at.
const SLOTS: usize = 1 << 20;
/// How many may be in use, so that one looks at few slots.
const FULL: usize = SLOTS / 2;
/// Parts of the last quarter. Something new must turn up in each; work may read one large block again and again before it
/// comes to the next.
const PARTS: u64 = 2;
/// Tells places in the code from objects: no address of a program has this bit.
const PLACE: usize = 1 << 63;

/// What the second half of an execution gets to.
pub(super) struct Novelty {
    /// A hash table of what was seen, without 0. It holds nothing unless `used` says so.
    seen: Box<[usize]>,
    used: usize,
    /// The points at which it is first looked, from which on what is seen is to be new, and at which the budget ends.
    from: u64,
    late: u64,
    end: u64,
    /// Which parts of the last quarter have seen something new, a bit each.
    parts: u8,
}

impl Novelty {
    pub fn new() -> Self {
        // Zeroed memory of this size comes from the system as it is needed, so this takes none until an execution is long.
        Self { seen: vec![0; SLOTS].into(), used: 0, from: u64::MAX, late: 0, end: 0, parts: 0 }
    }

    /// An execution begins that may pass so many points and is to be looked at, or `None`. The caller sees to it that no
    /// sanitizer watches.
    pub fn begin(&mut self, budget: Option<u64>) {
        if self.used > 0 {
            self.seen.fill(0);
            self.used = 0;
        }
        self.parts = 0;
        let points = budget.unwrap_or(u64::MAX);
        self.from = if budget.is_some() { points / 2 } else { u64::MAX };
        self.late = points / 4 * 3;
        self.end = points;
    }

    /// Whether what is passed at this point of the execution is to be noted.
    #[inline(always)]
    pub fn watches(&self, points: u64) -> bool {
        points >= self.from
    }

    /// A thread passes this point.
    #[cold]
    pub fn note(&mut self, points: u64, object: usize, place: usize) {
        let is_new = self.insert(object) | self.insert(place | PLACE);
        if is_new && points >= self.late {
            let part = (points - self.late) * PARTS / (self.end - self.late).max(1);
            self.parts |= 1 << part.min(PARTS - 1);
        }
    }

    /// Whether the threads were still at work when the budget was used up.
    pub fn is_at_work(&self) -> bool {
        u64::from(self.parts.count_ones()) == PARTS
    }

    /// Whether it was not there. A table that is full takes everything for new: so much is no loop.
    fn insert(&mut self, word: usize) -> bool {
        if word == 0 {
            return false;
        }
        let hash = (word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut slot = (hash >> (64 - SLOTS.trailing_zeros())) as usize;
        loop {
            match self.seen[slot] {
                0 if self.used == FULL => return true,
                0 => {
                    self.seen[slot] = word;
                    self.used += 1;
                    return true;
                }
                seen if seen == word => return false,
                _ => slot = (slot + 1) % SLOTS,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: u64 = 64_000;

    /// Whether an execution is at work at the end of its budget that passes `object(point)` at each point, all at one place.
    fn at_work(novelty: &mut Novelty, object: impl Fn(u64) -> u64) -> bool {
        novelty.begin(Some(BUDGET));
        for points in (0..BUDGET).filter(|&points| points >= BUDGET / 2) {
            assert!(novelty.watches(points));
            novelty.note(points, object(points) as usize, 0x40_0000);
        }
        novelty.is_at_work()
    }

    #[test]
    fn the_same_memory_again_is_no_work_and_more_of_it_is() {
        let mut novelty = Novelty::new();
        assert!(!at_work(&mut novelty, |points| 0x1000 + points % 5_000 * 8), "a loop");
        assert!(at_work(&mut novelty, |points| 0x1000 + points * 8), "ever more memory");
        assert!(at_work(&mut novelty, |points| 0x1000 + points / 7_000 * 8), "slowly more");
        assert!(!at_work(&mut novelty, |points| 0x1000 + (points / 1_000).min(55) * 8), "no more in the end");
        assert!(!at_work(&mut novelty, |_| 0), "nothing is remembered of the execution before");
    }

    #[test]
    fn what_is_not_asked_for_is_not_watched() {
        let mut novelty = Novelty::new();
        novelty.begin(Some(BUDGET));
        assert!(!novelty.watches(BUDGET / 2 - 1) && novelty.watches(BUDGET / 2));
        novelty.begin(None);
        assert!(!novelty.watches(BUDGET * 1_000));
    }

    #[test]
    fn a_full_table_takes_everything_for_new() {
        let mut novelty = Novelty::new();
        for word in 1..=FULL {
            assert!(novelty.insert(word * 8));
        }
        assert!(!novelty.insert(8) && novelty.insert(4) && novelty.insert(4));
    }
}
