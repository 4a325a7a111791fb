//! The order S of sequentially consistent operations: a graph of the last of them, in which no cycle may close.
//!
//! Edges are those of C++20, [atomics.order]/4, where happens-before that begins or ends at a fence counts as in RC11 (Lahav
//! et al., PLDI 2017). What an option would add are edges from those that must come before it, *into* it, to those
//! that must come after it, *out* of it; an option that is not SC adds them between fences before it and what is out of it.

use super::clocks::{self, Rows};
use super::history::Histories;

/// Operations in the graph. When one is to be added and there is no room, one that nothing precedes leaves it, and is
/// taken to precede all that are still to come.
pub const WINDOW: usize = 16;
/// Rows of clocks: one for each fence of the graph, and these two.
const FROZEN_CLOCK: usize = WINDOW;
const FROZEN_FENCES: usize = WINDOW + 1;
/// Of so many locations it is kept what fences precede there; when there are more, all fences are taken to precede the next.
const FOLLOWED: usize = 64;

/// A set of nodes.
type Nodes = u32;

fn nodes(mut set: Nodes) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let node = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (node < Nodes::BITS).then_some(node as usize)
    })
}

/// What is known of the fences of the graph at one location.
#[derive(Clone, Default)]
struct AtLocation {
    /// Which fence the numbers are of, by node.
    stamps: [u64; WINDOW],
    /// The highest key that happens before it.
    seen: [u64; WINDOW],
    /// The lowest key that happens after it.
    precedes: [u64; WINDOW],
    /// Whether the location is in `followed`: the list's number.
    listed: u64,
}

/// An access for which an option is sought.
pub(super) struct Access {
    pub thread: usize,
    pub location: u32,
    /// It is sequentially consistent.
    pub ordered: bool,
}

pub(super) struct Window {
    accesses: Nodes,
    fences: Nodes,
    thread: [u32; WINDOW],
    /// By thread, which release makes that happen before an access, or a fence, which must then come later.
    number: [u32; WINDOW],
    location: [u32; WINDOW],
    key: [u64; WINDOW],
    /// Which can be reached from each, and from which each can be reached.
    after: [Nodes; WINDOW],
    before: [Nodes; WINDOW],
    stamp: [u64; WINDOW],
    stamps: u64,
    clocks: Rows,
    /// Some fences have left.
    frozen_fences: bool,
    at: Vec<AtLocation>,
    followed: Vec<u32>,
    followed_number: u64,
    followed_all: bool,
}

impl Window {
    pub(super) fn new(locations: usize) -> Self {
        let mut clocks = Rows::new(WINDOW + 2, 0);
        clocks.begin();
        Self {
            accesses: 0,
            fences: 0,
            thread: [0; WINDOW],
            number: [0; WINDOW],
            location: [0; WINDOW],
            key: [0; WINDOW],
            after: [0; WINDOW],
            before: [0; WINDOW],
            stamp: [0; WINDOW],
            stamps: 0,
            clocks,
            frozen_fences: false,
            at: vec![AtLocation::default(); locations],
            followed: Vec::with_capacity(FOLLOWED),
            followed_number: 0,
            followed_all: true,
        }
    }

    pub(super) fn begin(&mut self) {
        self.accesses = 0;
        self.fences = 0;
        self.frozen_fences = false;
        self.clocks.begin();
        self.follow_none();
    }

    fn follow_none(&mut self) {
        self.followed.clear();
        self.followed_number += 1;
        self.followed_all = true;
    }

    pub(super) fn widen(&mut self, lanes: usize) {
        self.clocks.widen(WINDOW + 2, lanes);
    }

    pub(super) fn grow(&mut self, locations: usize, stride: usize) {
        self.at.resize(locations, AtLocation::default());
        if stride > self.clocks.capacity() {
            self.clocks.grow(WINDOW + 2, stride);
        }
    }

    /// Whether an access that is not SC can be forbidden anything, or is of interest later.
    #[inline]
    pub(super) fn has_fences(&self) -> bool {
        self.fences != 0 || self.frozen_fences
    }

    /// Of the fences, those that happen before a step with that clock, and with another one if it acquires it.
    #[inline]
    fn fences_before(&self, thread: usize, clock: &[u32], acquired: Option<&[u32]>) -> Nodes {
        let mut before = 0;
        for node in nodes(self.fences) {
            let (of, number) = (self.thread[node] as usize, self.number[node]);
            let seen = of == thread || clock[of] >= number || acquired.is_some_and(|acquired| acquired[of] >= number);
            before |= Nodes::from(seen) << node;
        }
        before
    }

    /// Whether one of the fences that have left happens before such a step.
    fn is_after_frozen(&self, clock: &[u32], acquired: Option<&[u32]>) -> bool {
        let numbers = self.clocks.row(FROZEN_FENCES);
        let after = |clock: &[u32]| numbers.iter().zip(clock).any(|(&number, &seen)| number != 0 && seen >= number);
        self.frozen_fences && (after(clock) || acquired.is_some_and(after))
    }

    /// Which fences have seen something newer there than `key`, and which accesses there are newer.
    #[inline]
    fn out_of(&mut self, histories: &Histories, location: u32, key: u64) -> Nodes {
        let mut out = 0;
        for node in nodes(self.accesses) {
            out |= Nodes::from(self.location[node] == location && self.key[node] > key) << node;
        }
        for node in nodes(self.fences) {
            out |= Nodes::from(self.seen_by(histories, node, location) > key) << node;
        }
        out
    }

    /// Which must come before an access with that key, besides the fences that happen before it.
    #[inline]
    fn into(&mut self, histories: &Histories, access: &Access, clock: &[u32], key: u64) -> Nodes {
        let mut into = 0;
        for node in nodes(self.accesses) {
            let of = self.thread[node] as usize;
            let earlier = of == access.thread || clock[of] > self.number[node];
            let older = self.location[node] == access.location && self.key[node] < key;
            into |= Nodes::from(earlier | older) << node;
        }
        for node in nodes(self.fences) {
            into |= Nodes::from(*self.precedes(histories, node, access.location) < key) << node;
        }
        into
    }

    /// What is known of that fence there, after what it has seen is known.
    #[inline]
    fn entry(&mut self, histories: &Histories, node: usize, location: u32) -> &mut AtLocation {
        let entry = &mut self.at[location as usize];
        if entry.stamps[node] != self.stamp[node] {
            entry.stamps[node] = self.stamp[node];
            entry.precedes[node] = u64::MAX;
            entry.seen[node] = highest_seen(histories, location, self.clocks.row(node));
        }
        entry
    }

    #[inline]
    fn seen_by(&mut self, histories: &Histories, fence: usize, location: u32) -> u64 {
        self.entry(histories, fence, location).seen[fence]
    }

    #[inline]
    fn precedes(&mut self, histories: &Histories, fence: usize, location: u32) -> &mut u64 {
        &mut self.entry(histories, fence, location).precedes[fence]
    }

    /// Whether the access may not have that key, and acquire that clock.
    pub(super) fn forbids(
        &mut self,
        histories: &Histories,
        access: &Access,
        clock: &[u32],
        key: u64,
        acquired: Option<&[u32]>,
    ) -> bool {
        let fences = self.fences_before(access.thread, clock, acquired);
        let constrained = access.ordered || fences != 0 || self.is_after_frozen(clock, acquired);
        if !constrained {
            return false;
        }
        if key < histories.location(access.location).frozen
            || self.frozen_fences && key < highest_seen(histories, access.location, self.clocks.row(FROZEN_CLOCK))
        {
            return true;
        }
        let out = self.out_of(histories, access.location, key);
        if out == 0 {
            return false;
        }
        let into = if access.ordered { self.into(histories, access, clock, key) | fences } else { fences };
        self.with_all_after(out) & into != 0
    }

    #[inline]
    fn with_all_after(&self, set: Nodes) -> Nodes {
        nodes(set).fold(set, |all, node| all | self.after[node])
    }

    #[inline]
    fn with_all_before(&self, set: Nodes) -> Nodes {
        nodes(set).fold(set, |all, node| all | self.before[node])
    }

    /// The access is made, with that key; there is room for it if it is SC. `clock` is its thread's before it acquires.
    pub(super) fn access(
        &mut self,
        histories: &Histories,
        access: &Access,
        clock: &[u32],
        key: u64,
        newest: bool,
        acquired: Option<&[u32]>,
        number: u32,
    ) {
        let fences = self.fences_before(access.thread, clock, acquired);
        if access.ordered || fences != 0 {
            let out = if newest { 0 } else { self.out_of(histories, access.location, key) };
            let into = if access.ordered { self.into(histories, access, clock, key) | fences } else { fences };
            let (into, out) = (self.with_all_before(into), self.with_all_after(out));
            self.connect(into, out);
            if access.ordered {
                let node = self.add(into, out);
                self.accesses |= 1 << node;
                self.thread[node] = access.thread as u32;
                self.number[node] = number;
                self.location[node] = access.location;
                self.key[node] = key;
            }
        }
        for node in nodes(fences) {
            let precedes = self.precedes(histories, node, access.location);
            *precedes = key.min(*precedes);
        }
        if fences != 0 {
            self.follow(access.location);
        }
    }

    /// Fences precede accesses there.
    fn follow(&mut self, location: u32) {
        let entry = &mut self.at[location as usize];
        if entry.listed != self.followed_number && self.followed_all {
            entry.listed = self.followed_number;
            if self.followed.len() < FOLLOWED {
                self.followed.push(location);
            } else {
                self.followed_all = false;
            }
        }
    }

    /// A fence is made; there is room for it. `clock` is its thread's after it has acquired and released: the fence is the
    /// release of that number.
    pub(super) fn fence(&mut self, histories: &Histories, thread: usize, clock: &[u32], number: u32) {
        // A node of its own for what it has seen: nothing can be reached from it.
        let node = self.add(0, 0);
        self.thread[node] = thread as u32;
        self.number[node] = number;
        self.stamps += 1;
        self.stamp[node] = self.stamps;
        clocks::copy(self.clocks.row_mut(node), clock);
        let mut into = self.fences_before(thread, clock, None);
        for earlier in nodes(self.accesses) {
            let of = self.thread[earlier] as usize;
            let before = of == thread
                || clock[of] > self.number[earlier]
                || self.key[earlier] < self.seen_by(histories, node, self.location[earlier]);
            into |= Nodes::from(before) << earlier;
        }
        if !self.followed_all {
            into |= self.fences;
        }
        if into & self.fences != self.fences {
            for index in 0..self.followed.len() {
                let location = self.followed[index];
                let seen = self.seen_by(histories, node, location);
                for earlier in nodes(self.fences & !into) {
                    into |= Nodes::from(*self.precedes(histories, earlier, location) < seen) << earlier;
                }
            }
        }
        let into = self.with_all_before(into);
        for earlier in nodes(into) {
            self.after[earlier] |= 1 << node;
        }
        self.before[node] = into;
        self.fences |= 1 << node;
    }

    /// All of `into`, which holds all that is before one of it, come before all of `out`.
    fn connect(&mut self, into: Nodes, out: Nodes) {
        if out != 0 {
            for node in nodes(into) {
                self.after[node] |= out;
            }
            for node in nodes(out) {
                self.before[node] |= into;
            }
        }
    }

    /// A node between those; there is room for it.
    fn add(&mut self, into: Nodes, out: Nodes) -> usize {
        let node = (!(self.accesses | self.fences)).trailing_zeros() as usize;
        for earlier in nodes(into) {
            self.after[earlier] |= 1 << node;
        }
        for later in nodes(out) {
            self.before[later] |= 1 << node;
        }
        self.after[node] = out;
        self.before[node] = into;
        node
    }

    /// Makes room for one, before the options of a step are counted.
    #[inline]
    pub(super) fn make_room(&mut self, histories: &mut Histories) {
        let all = self.accesses | self.fences;
        if all.count_ones() as usize == WINDOW {
            self.freeze(histories, all);
        }
    }

    /// Removes one that nothing precedes.
    fn freeze(&mut self, histories: &mut Histories, all: Nodes) {
        // An acyclic graph has one.
        let node = nodes(all).find(|node| self.before[*node] == 0).unwrap_or(0);
        for later in nodes(self.after[node]) {
            self.before[later] &= !(1 << node);
        }
        if self.accesses & 1 << node != 0 {
            self.accesses &= !(1 << node);
            let location = &mut histories.locations[self.location[node] as usize];
            location.frozen = location.frozen.max(self.key[node]);
            return;
        }
        self.fences &= !(1 << node);
        if !self.frozen_fences {
            self.frozen_fences = true;
            self.clocks.clear(FROZEN_CLOCK);
            self.clocks.clear(FROZEN_FENCES);
        }
        let (frozen, clock) = self.clocks.pair(FROZEN_CLOCK, node);
        clocks::join(frozen, clock);
        let first = &mut self.clocks.row_mut(FROZEN_FENCES)[self.thread[node] as usize];
        if *first == 0 {
            *first = self.number[node];
        }
        if self.fences == 0 {
            self.follow_none();
        }
    }
}

/// The key of the newest access there that `clock` has seen, 0 if there is none.
fn highest_seen(histories: &Histories, location: u32, clock: &[u32]) -> u64 {
    let at = histories.location(location);
    if at.count == 0 {
        return 0;
    }
    let Some(index) = histories.newest_seen(location, clock, None) else {
        // It may have seen one that is no longer kept.
        return if at.incomplete { histories.record(at.stores[0]).key - 1 } else { 0 };
    };
    let number = at.stores[index];
    let record = histories.record(number);
    let first = histories.first.row(number as usize);
    // Accesses of the writer itself count as the write: what is ordered by its reads is ordered by program order, too.
    let read = first.iter().zip(clock).enumerate().any(|(thread, (first, seen))| first < seen && thread != usize::from(record.thread));
    record.key + u64::from(read)
}
