//! How many executions differ in reads-from and modification order, which is less than the search makes where the memory model
//! leaves choices: of an operation with a choice only the store counts that it read, or came after, and not when.
//!
//! An execution is known by a hash of what each of its steps came after, step by step of each thread, so no address and no order
//! of unrelated steps is in it. Whatever is no atomic operation on a chosen store is accounted for by the history of each byte:
//! who changed it before, in which order. For interleavings of loads and stores that is reads-from and modification order, too.

use std::collections::{HashMap, HashSet};

use super::footprint::{Access, Item, index};
use super::tree::Way;

/// Executions that are told apart at most.
const MOST: usize = 1 << 22;
/// What nobody stored.
const BEFORE: u64 = 1;

/// The atomic operation of a step, of which the memory model knows which store it is on.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    pub object: usize,
    /// Its number among the atomic operations of the execution, counted from 1.
    pub number: u32,
    /// That of the store which it read, or comes after; `None` for what was there before.
    pub source: Option<u32>,
    pub writes: bool,
}

#[derive(Default)]
pub struct Distinct {
    seen: HashSet<u64>,
    /// There was no room for all.
    is_full: bool,
    /// Of the execution under way.
    sum: u64,
    /// By thread: its steps.
    counts: Vec<u32>,
    /// What happened to each of eight bytes, by their name.
    histories: [Vec<History>; 2],
    /// Which execution it is: what is of another one counts for nothing.
    execution: u64,
    /// By number of an operation: its step.
    steps: Vec<u64>,
    /// By a store: the one after it, in modification order.
    newer: HashMap<Store, u32>,
}

#[derive(Clone, Copy, Default)]
struct History {
    execution: u64,
    bytes: [u64; 8],
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Store {
    Number(u32),
    /// What was there before.
    First(usize),
}

impl Distinct {
    /// How many there were, and whether there may have been more.
    pub fn count(&self) -> (u64, bool) {
        (self.seen.len() as u64, self.is_full)
    }

    /// An execution begins.
    pub fn begin(&mut self) {
        self.sum = 0;
        self.execution += 1;
        self.counts.clear();
        self.steps.clear();
        self.newer.clear();
    }

    /// A step is over, which touched this.
    pub fn add(&mut self, way: Way, everything: bool, items: &[Item], placed: Option<Placed>) {
        let thread = usize::from(way.thread);
        if self.counts.len() <= thread {
            self.counts.resize(thread + 1, 0);
        }
        self.counts[thread] += 1;
        let step = hash(&[thread as u64, self.counts[thread].into(), way.timed_out.into()]);
        if let Some(placed) = placed {
            return self.add_placed(step, placed);
        }
        let mut sum = 0_u64;
        if everything {
            // It comes after all steps before, and before all others.
            let place = self.counts.iter().fold(step, |place, count| hash(&[place, (*count).into()]));
            sum = sum.wrapping_add(place);
        }
        for item in items.iter().filter(|item| !item.is_unseen) {
            let history = history(&mut self.histories, self.execution, item.name);
            for (byte, history) in history.iter_mut().enumerate().filter(|(byte, _)| item.bytes & 1 << byte != 0) {
                let after = hash(&[step, byte as u64, *history]);
                match item.access {
                    Access::Look => sum = sum.wrapping_add(after),
                    Access::Change => {
                        sum = sum.wrapping_add(after);
                        *history = after;
                    }
                    // In any order among themselves.
                    Access::Share => *history = history.wrapping_add(step),
                }
            }
        }
        self.sum = self.sum.wrapping_add(sum);
    }

    fn add_placed(&mut self, step: u64, placed: Placed) {
        let Placed { object, number, source, writes } = placed;
        let at = number as usize;
        if self.steps.len() <= at {
            self.steps.resize(at + 1, BEFORE);
        }
        self.steps[at] = step;
        let source = source.map_or(Store::First(object), Store::Number);
        if !writes {
            let read = hash(&[step, self.step_of(source)]);
            self.sum = self.sum.wrapping_add(read);
            return;
        }
        // It comes between the store that it is after and the one that was.
        if let Some(next) = self.newer.insert(source, number) {
            self.newer.insert(Store::Number(number), next);
        }
    }

    fn step_of(&self, store: Store) -> u64 {
        match store {
            Store::Number(number) => self.steps.get(number as usize).copied().unwrap_or(BEFORE),
            Store::First(_) => BEFORE,
        }
    }

    /// The execution is over, and was no repetition as far as the search knows.
    pub fn end(&mut self) {
        let pairs = self
            .newer
            .iter()
            .map(|(store, next)| hash(&[self.step_of(*store), self.step_of(Store::Number(*next)), u64::MAX]));
        let steps = self.counts.iter().fold(BEFORE, |steps, count| hash(&[steps, (*count).into()]));
        let execution = pairs.fold(self.sum.wrapping_add(steps), u64::wrapping_add);
        if self.seen.len() < MOST {
            self.seen.insert(execution);
        } else {
            self.is_full |= !self.seen.contains(&execution);
        }
    }
}

/// That of eight bytes in this execution.
fn history(histories: &mut [Vec<History>; 2], execution: u64, name: u32) -> &mut [u64; 8] {
    let (place, passing) = index(name);
    let histories = &mut histories[usize::from(passing)];
    if histories.len() <= place {
        histories.resize(place + 1, History::default());
    }
    let history = &mut histories[place];
    if history.execution != execution {
        *history = History { execution, bytes: [BEFORE; 8] };
    }
    &mut history.bytes
}

/// Splitmix64's finaliser over each word.
fn hash(words: &[u64]) -> u64 {
    words.iter().fold(0x9e37_79b9_7f4a_7c15, |hash, word| {
        let mut mixed = (hash ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Way = Way { thread: 0, timed_out: false };
    const SECOND: Way = Way { thread: 1, timed_out: false };

    fn item(name: u32, access: Access) -> Item {
        Item { name, bytes: 0xf, access, is_unseen: false }
    }

    fn count(executions: &[&[(Way, Item)]]) -> u64 {
        let mut distinct = Distinct::default();
        for execution in executions {
            distinct.begin();
            execution.iter().for_each(|(way, item)| distinct.add(*way, false, &[*item], None));
            distinct.end();
        }
        distinct.count().0
    }

    #[test]
    fn what_commutes_is_the_same_in_either_order() {
        for access in [Access::Look, Access::Share] {
            let (one, other) = ((FIRST, item(1, access)), (SECOND, item(1, access)));
            assert_eq!(count(&[&[one, other], &[other, one]]), 1, "{access:?}");
        }
        let (one, other) = ((FIRST, item(1, Access::Change)), (SECOND, item(2, Access::Change)));
        assert_eq!(count(&[&[one, other], &[other, one]]), 1);
    }

    #[test]
    fn what_does_not_commute_differs() {
        let change = (FIRST, item(1, Access::Change));
        for access in [Access::Look, Access::Share, Access::Change] {
            let other = (SECOND, item(1, access));
            let look = (SECOND, item(1, Access::Look));
            assert_eq!(count(&[&[change, other, look], &[other, change, look]]), 2, "{access:?}");
        }
    }

    #[test]
    fn a_store_that_is_placed_later_lies_where_one_would_that_is_made_there() {
        let placed = |number, source, writes| Some(Placed { object: 64, number, source, writes });
        let mut distinct = Distinct::default();
        distinct.begin();
        distinct.add(FIRST, false, &[], placed(1, None, true));
        distinct.add(SECOND, false, &[], placed(2, Some(1), true));
        distinct.end();
        // The same order, in which the second store was made last, or first.
        distinct.begin();
        distinct.add(SECOND, false, &[], placed(1, None, true));
        distinct.add(FIRST, false, &[], placed(2, None, true));
        distinct.end();
        assert_eq!(distinct.count(), (1, false));
        // The other order.
        distinct.begin();
        distinct.add(SECOND, false, &[], placed(1, None, true));
        distinct.add(FIRST, false, &[], placed(2, Some(1), true));
        distinct.end();
        assert_eq!(distinct.count(), (2, false));
        // What a load reads, whenever it is made.
        distinct.begin();
        distinct.add(FIRST, false, &[], placed(1, None, true));
        distinct.add(SECOND, false, &[], placed(2, None, false));
        distinct.end();
        distinct.begin();
        distinct.add(SECOND, false, &[], placed(1, None, false));
        distinct.add(FIRST, false, &[], placed(2, None, true));
        distinct.end();
        assert_eq!(distinct.count(), (3, false));
    }
}
