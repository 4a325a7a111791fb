//! Sequentially consistent fences: what each has seen of a location, and what comes after it there.

use super::super::clocks::{self, Rows};
use super::super::history::Histories;
use super::{Nodes, WINDOW, nodes};

/// Rows of clocks: one for each node, and these two for fences that have left the graph.
const LEFT_CLOCK: usize = WINDOW;
const LEFT_NUMBERS: usize = WINDOW + 1;
/// Of so many locations it is kept that fences precede accesses there; when there are more, all fences are taken to precede
/// the next one.
const FOLLOWED: usize = 64;

/// What is known of the fences of the graph at one location.
#[derive(Clone, Default)]
struct AtLocation {
    /// Which fence the numbers are of, by node.
    stamps: [u64; WINDOW],
    /// The highest key that happens before it.
    seen: [u64; WINDOW],
    /// The lowest key that happens after it.
    precedes: [u64; WINDOW],
    /// Whether it is in `followed`: the number of that list.
    listed: u64,
}

pub(super) struct Fences {
    /// Those that are in the graph.
    pub live: Nodes,
    /// Some have left it.
    pub have_left: bool,
    /// Each fence has one of its own, which no other one ever had.
    stamp: [u64; WINDOW],
    stamps: u64,
    /// By node, what a fence has seen; what those that have left have seen together; by thread, the number of the first of
    /// its fences that has left, 0 if there is none.
    clocks: Rows,
    locations: Vec<AtLocation>,
    /// Locations where fences precede accesses, or there are too many of them.
    followed: Vec<u32>,
    list: u64,
    too_many: bool,
}

impl Fences {
    pub(super) fn new(locations: usize) -> Self {
        Self {
            live: 0,
            have_left: false,
            stamp: [0; WINDOW],
            stamps: 0,
            clocks: Rows::new(WINDOW + 2, 0),
            locations: vec![AtLocation::default(); locations],
            followed: Vec::with_capacity(FOLLOWED),
            list: 0,
            too_many: false,
        }
    }

    pub(super) fn begin(&mut self) {
        self.live = 0;
        self.have_left = false;
        self.clocks.begin();
        self.follow_none();
    }

    fn follow_none(&mut self) {
        self.followed.clear();
        self.list += 1;
        self.too_many = false;
    }

    pub(super) fn widen(&mut self, lanes: usize) {
        self.clocks.widen(WINDOW + 2, lanes);
    }

    pub(super) fn grow(&mut self, locations: usize, threads: usize) {
        if locations > self.locations.len() {
            self.locations.resize(locations, AtLocation::default());
        }
        if threads > self.clocks.capacity() {
            self.clocks.grow(WINDOW + 2, threads);
        }
    }

    /// A fence, of which what it has seen is known.
    pub(super) fn add(&mut self, node: usize, clock: &[u32]) {
        self.stamps += 1;
        self.stamp[node] = self.stamps;
        clocks::copy(self.clocks.row_mut(node), clock);
        self.live |= 1 << node;
    }

    /// The highest key there that happens before that fence, and the lowest that happens after it.
    ///
    /// The first of them is looked for once: what happened before the fence is never accessed for the first time later.
    #[inline]
    pub(super) fn at(&mut self, histories: &Histories, node: usize, location: u32) -> (u64, u64) {
        let at = &mut self.locations[location as usize];
        if at.stamps[node] != self.stamp[node] {
            at.stamps[node] = self.stamp[node];
            at.precedes[node] = u64::MAX;
            at.seen[node] = highest_seen(histories, location, self.clocks.row(node));
        }
        (at.seen[node], at.precedes[node])
    }

    /// An access with that key happens after those fences, each of which has been asked for this location.
    #[inline]
    pub(super) fn precede(&mut self, histories: &Histories, fences: Nodes, location: u32, key: u64) {
        for node in nodes(fences) {
            self.at(histories, node, location);
            let precedes = &mut self.locations[location as usize].precedes[node];
            *precedes = key.min(*precedes);
        }
        let listed = &mut self.locations[location as usize].listed;
        if *listed != self.list {
            *listed = self.list;
            if self.followed.len() < FOLLOWED {
                self.followed.push(location);
            } else {
                self.too_many = true;
            }
        }
    }

    /// Which of the others precede that one: what it has seen is newer than something that happens after them.
    pub(super) fn preceding(&mut self, histories: &Histories, node: usize, others: Nodes) -> Nodes {
        if self.too_many {
            return others;
        }
        let mut preceding = 0;
        for index in 0..self.followed.len() {
            if preceding == others {
                break;
            }
            let location = self.followed[index];
            let (seen, _) = self.at(histories, node, location);
            for other in nodes(others & !preceding) {
                let (_, precedes) = self.at(histories, other, location);
                preceding |= Nodes::from(precedes < seen) << other;
            }
        }
        preceding
    }

    /// One leaves the graph.
    pub(super) fn leave(&mut self, node: usize, thread: usize, number: u32) {
        self.live &= !(1 << node);
        if !self.have_left {
            self.have_left = true;
            self.clocks.clear(LEFT_CLOCK);
            self.clocks.clear(LEFT_NUMBERS);
        }
        let (left, clock) = self.clocks.pair(LEFT_CLOCK, node);
        clocks::join(left, clock);
        let first = &mut self.clocks.row_mut(LEFT_NUMBERS)[thread];
        if *first == 0 {
            *first = number;
        }
        if self.live == 0 {
            self.follow_none();
        }
    }

    /// Whether one that has left happens before a step with that clock.
    #[inline]
    pub(super) fn left_before(&self, clock: &[u32]) -> bool {
        let numbers = || self.clocks.row(LEFT_NUMBERS).iter().zip(clock);
        self.have_left && numbers().any(|(&number, &seen)| number != 0 && seen >= number)
    }

    /// The highest key there that happens before one that has left.
    #[inline]
    pub(super) fn seen_by_left(&self, histories: &Histories, location: u32) -> u64 {
        if self.have_left { highest_seen(histories, location, self.clocks.row(LEFT_CLOCK)) } else { 0 }
    }
}

/// The key of the newest access there that `clock` has seen, 0 if there is none.
fn highest_seen(histories: &Histories, location: u32, clock: &[u32]) -> u64 {
    let at = histories.location(location);
    if at.count == 0 {
        return 0;
    }
    let Some(number) = histories.newest_seen(location, clock, usize::MAX) else {
        // It may have seen one that is no longer kept.
        return if at.incomplete { histories.record(at.oldest).key - 1 } else { 0 };
    };
    let record = histories.record(number);
    // A read by the writer itself counts as its write: what that read orders, program order orders, too.
    let mut seen = histories.first.row(number as usize).iter().zip(clock).enumerate();
    let read = seen.any(|(thread, (first, seen))| first < seen && thread != usize::from(record.thread));
    record.key + u64::from(read)
}
