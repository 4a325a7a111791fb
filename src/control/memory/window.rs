//! The order S of sequentially consistent operations: a graph of the last of them, in which no cycle may close.
//!
//! Edges are those of C++20, [atomics.order]/4, where happens-before that begins or ends at a fence counts as in RC11 (Lahav
//! et al., PLDI 2017). What an option would add are edges from those that must come before it, *into* it, to those
//! that must come after it, *out* of it; an option that is not SC adds them between fences before it and what is out of it.

mod fences;

use super::history::{Histories, NONE};
use fences::Fences;

/// Operations in the graph. When one is to be added and there is no room, one that nothing precedes leaves it, and is
/// taken to precede all that are still to come.
pub const WINDOW: usize = 16;

/// A set of nodes.
pub(super) type Nodes = u32;

const BITS: [Nodes; WINDOW] = {
    let mut bits = [0; WINDOW];
    let mut node = 0;
    while node < WINDOW {
        bits[node] = 1 << node;
        node += 1;
    }
    bits
};

fn nodes(mut set: Nodes) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let node = set.trailing_zeros() as usize;
        set &= set.wrapping_sub(1);
        (node < WINDOW).then_some(node)
    })
}

/// All bits if the condition holds.
#[inline]
fn all_if(holds: bool) -> Nodes {
    Nodes::from(holds).wrapping_neg()
}

/// The union of the sets of those in `set`. For all nodes at once, so there are no branches.
#[inline]
fn union(sets: &[Nodes; WINDOW], set: Nodes) -> Nodes {
    sets.iter().zip(&BITS).fold(0, |all, (one, bit)| all | one & all_if(set & bit != 0))
}

/// Adds to the sets of those in `set`.
#[inline]
fn add_to(sets: &mut [Nodes; WINDOW], set: Nodes, added: Nodes) {
    for (one, bit) in sets.iter_mut().zip(&BITS) {
        *one |= added & all_if(set & bit != 0);
    }
}

/// A step for which options are sought: what comes before it, whatever it reads.
#[derive(Clone, Copy)]
pub(super) struct Access {
    pub thread: usize,
    pub location: u32,
    /// Accesses that happen strongly before it.
    accesses: Nodes,
    /// Fences that happen before it.
    fences: Nodes,
    /// A fence that has left happens before it.
    frozen: bool,
}

impl Access {
    pub(super) const NONE: Self = Self { thread: 0, location: 0, accesses: 0, fences: 0, frozen: false };
}

/// What is picked, or may be.
#[derive(Clone, Copy)]
pub(super) struct Pick {
    /// It is sequentially consistent.
    pub ordered: bool,
    /// It is a load.
    pub loads: bool,
    pub key: u64,
    /// The store that it reads, or after which it is placed.
    pub store: u32,
    /// Whether it acquires the release clock of that.
    pub acquires: bool,
    /// Accesses in the graph that are on newer stores.
    pub newer: Nodes,
}

pub(super) struct Window {
    accesses: Nodes,
    thread: [u32; WINDOW],
    /// The release of its thread that makes it happen before what acquires it, strongly if it is an access.
    number: [u32; WINDOW],
    key: [u64; WINDOW],
    location: [u32; WINDOW],
    /// The store that an access reads or is.
    record: [u32; WINDOW],
    /// Which can be reached from each, and from which each can be reached.
    after: [Nodes; WINDOW],
    before: [Nodes; WINDOW],
    fences: Fences,
}

impl Window {
    pub(super) fn new(locations: usize) -> Self {
        Self {
            accesses: 0,
            thread: [0; WINDOW],
            number: [0; WINDOW],
            key: [0; WINDOW],
            location: [0; WINDOW],
            record: [0; WINDOW],
            after: [0; WINDOW],
            before: [0; WINDOW],
            fences: Fences::new(locations),
        }
    }

    pub(super) fn begin(&mut self) {
        self.accesses = 0;
        // There may be fewer threads now.
        self.thread = [0; WINDOW];
        self.fences.begin();
    }

    pub(super) fn widen(&mut self, lanes: usize) {
        self.fences.widen(lanes);
    }

    pub(super) fn grow(&mut self, locations: usize, threads: usize) {
        self.fences.grow(locations, threads);
    }

    #[inline]
    fn all(&self) -> Nodes {
        self.accesses | self.fences.live
    }

    /// Whether an access that is not SC can be forbidden anything, or is of interest later.
    #[inline]
    pub(super) fn has_fences(&self) -> bool {
        self.fences.live != 0 || self.fences.have_left
    }

    /// Those that happen before a step of a thread with that clock.
    #[inline]
    fn earlier(&self, thread: usize, clock: &[u32]) -> Nodes {
        // In three loops, each of which takes all nodes at once.
        let mut seen = [0; WINDOW];
        for (seen, of) in seen.iter_mut().zip(&self.thread) {
            *seen = clock[*of as usize];
        }
        let seen: [bool; WINDOW] =
            std::array::from_fn(|node| (seen[node] >= self.number[node]) | (self.thread[node] == thread as u32));
        seen.iter().zip(&BITS).fold(0, |all, (seen, bit)| all | bit & all_if(*seen)) & self.all()
    }

    /// `ordered` says whether it may be sequentially consistent.
    #[inline]
    pub(super) fn access_by(&self, thread: usize, location: u32, clock: &[u32], ordered: bool) -> Access {
        let frozen = self.fences.left_before(clock);
        if ordered {
            let earlier = self.earlier(thread, clock);
            let (accesses, fences) = (earlier & self.accesses, earlier & self.fences.live);
            return Access { thread, location, accesses, fences, frozen };
        }
        let mut fences = 0;
        for node in nodes(self.fences.live) {
            let of = self.thread[node] as usize;
            fences |= Nodes::from(of == thread || clock[of] >= self.number[node]) << node;
        }
        Access { thread, location, accesses: 0, fences, frozen }
    }

    /// Fences that happen before the access, and whether one that has left does.
    #[inline]
    fn fences_before(&self, histories: &Histories, access: &Access, pick: &Pick) -> (Nodes, bool) {
        let (mut fences, mut frozen) = (access.fences, access.frozen);
        if pick.acquires && self.has_fences() {
            let acquired = histories.clocks.row(pick.store as usize);
            for node in nodes(self.fences.live & !fences) {
                fences |= Nodes::from(acquired[self.thread[node] as usize] >= self.number[node]) << node;
            }
            frozen |= self.fences.left_before(acquired);
        }
        (fences, frozen)
    }

    /// Which must come before the access, and which after it.
    #[inline]
    fn around(&mut self, histories: &Histories, access: &Access, pick: &Pick, before: Nodes) -> (Nodes, Nodes) {
        let (mut into, mut out) = (before, pick.newer);
        if pick.ordered {
            // Reads of the same store have no order.
            let level = if pick.loads { histories.record(pick.store).read } else { 0 };
            into |= access.accesses | histories.location(access.location).ordered & !pick.newer & !level;
        }
        for node in nodes(self.fences.live) {
            let (seen, precedes) = self.fences.at(histories, node, access.location);
            into |= Nodes::from(pick.ordered & (precedes < pick.key)) << node;
            out |= Nodes::from(seen > pick.key) << node;
        }
        (into, out)
    }

    /// Whether the access may not be that.
    #[inline]
    pub(super) fn forbids(&mut self, histories: &Histories, access: &Access, pick: &Pick) -> bool {
        let (fences, frozen) = self.fences_before(histories, access, pick);
        if !pick.ordered && fences == 0 && !frozen {
            return false;
        }
        if pick.key < histories.location(access.location).frozen
            || pick.key < self.fences.seen_by_left(histories, access.location)
        {
            return true;
        }
        let (into, out) = self.around(histories, access, pick, fences);
        out != 0 && (out | union(&self.after, out)) & into != 0
    }

    /// The access is made; there is room for it if it is SC. `number` is that of its thread's next release that is neither
    /// before nor part of it; `record` is the store that it reads or is.
    #[inline]
    pub(super) fn add_access(
        &mut self,
        histories: &mut Histories,
        access: &Access,
        pick: &Pick,
        number: u32,
        record: u32,
    ) {
        let (fences, _) = self.fences_before(histories, access, pick);
        if pick.ordered || fences != 0 && pick.newer != 0 || fences != 0 && histories.record(record).newer != NONE {
            let (into, out) = self.around(histories, access, pick, fences);
            let into = into | union(&self.before, into);
            let out = if out == 0 { 0 } else { out | union(&self.after, out) };
            if out != 0 {
                add_to(&mut self.after, into, out);
                add_to(&mut self.before, out, into);
            }
            if pick.ordered && !(pick.loads && self.repeats(histories, access, pick, into, out)) {
                let node = self.add(into, out, access.thread, number);
                self.accesses |= 1 << node;
                self.location[node] = access.location;
                self.record[node] = record;
                self.key[node] = pick.key;
                histories.locations[access.location as usize].ordered |= 1 << node;
                let record = &mut histories.records[record as usize];
                let set = if pick.loads { &mut record.read } else { &mut record.written };
                *set |= 1 << node;
            }
        }
        if fences != 0 {
            self.fences.precede(histories, fences, access.location, pick.key);
        }
    }

    /// Whether a load comes directly after one of the same thread and the same store, as in a loop that waits: then that
    /// stands for both, or such loops would soon fill the graph.
    fn repeats(&self, histories: &Histories, access: &Access, pick: &Pick, into: Nodes, out: Nodes) -> bool {
        nodes(histories.record(pick.store).read).any(|node| {
            let new = into & !self.before[node] & !BITS[node];
            self.thread[node] == access.thread as u32 && new == 0 && out & !self.after[node] == 0
        })
    }

    /// A fence is made; there is room for it. `clock` is its thread's after it has acquired and released: the fence is the
    /// release of that number.
    pub(super) fn add_fence(&mut self, histories: &Histories, thread: usize, clock: &[u32], number: u32) {
        let mut into = self.earlier(thread, clock);
        let (accesses, fences) = (self.accesses & !into, self.fences.live);
        // Nothing can be reached from it.
        let node = self.add(0, 0, thread, number);
        self.fences.add(node, clock);
        for earlier in nodes(accesses) {
            let (seen, _) = self.fences.at(histories, node, self.location[earlier]);
            into |= Nodes::from(self.key[earlier] < seen) << earlier;
        }
        into |= self.fences.preceding(histories, node, fences & !into);
        into |= union(&self.before, into);
        add_to(&mut self.after, into, 1 << node);
        self.before[node] = into;
    }

    /// A node between those; there is room for it.
    #[inline]
    fn add(&mut self, into: Nodes, out: Nodes, thread: usize, number: u32) -> usize {
        let node = (!self.all()).trailing_zeros() as usize % WINDOW;
        add_to(&mut self.after, into, 1 << node);
        add_to(&mut self.before, out, 1 << node);
        self.after[node] = out;
        self.before[node] = into;
        self.thread[node] = thread as u32;
        self.number[node] = number;
        node
    }

    /// Makes room for one, before the options of a step are counted.
    #[inline]
    pub(super) fn make_room(&mut self, histories: &mut Histories) {
        if self.all() == Nodes::from(u16::MAX) {
            self.leave(histories);
        }
    }

    /// One that nothing precedes leaves.
    fn leave(&mut self, histories: &mut Histories) {
        // An acyclic graph has one.
        let first = self.before.iter().zip(&BITS).fold(0, |all, (before, bit)| all | bit & all_if(*before == 0));
        let node = first.trailing_zeros() as usize % WINDOW;
        let bit = 1 << node;
        for before in &mut self.before {
            *before &= !bit;
        }
        if self.accesses & bit == 0 {
            return self.fences.leave(node, self.thread[node] as usize, self.number[node]);
        }
        self.accesses &= !bit;
        let location = &mut histories.locations[self.location[node] as usize];
        location.ordered &= !bit;
        location.frozen = location.frozen.max(self.key[node]);
        // Its record may be another one by now, which then does not have it.
        let record = &mut histories.records[self.record[node] as usize];
        record.read &= !bit;
        record.written &= !bit;
    }
}

const _: () = assert!(WINDOW == 16, "all nodes are 16 bits");
