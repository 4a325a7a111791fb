//! The first half of a step: what can be picked.

use super::cells;
use super::clocks;
use super::history::{KEPT, NOBODY, NONE};
use super::window::{Access, Nodes, Pick};
use super::{Level, Memory, Order};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Load,
    Store,
    /// A read-modify-write.
    Update,
    /// One that is made only if it reads what is expected.
    CompareExchange,
}

/// A step whose options are known, and which is not made yet.
pub(super) struct Step {
    pub kind: Kind,
    pub thread: usize,
    pub location: u32,
    pub order: Order,
    /// If it turns out to be a load.
    pub failure: Order,
    pub expected: u128,
    pub count: usize,
    /// The first `count`: the stores that can be read, or after which the store can be placed.
    pub options: [u32; KEPT],
    /// What comes before it in the order of SC operations, if that matters.
    pub access: Access,
    /// The record into which the real value is to be copied, and where that lies; `NONE` if there is none.
    pub unsettled: u32,
    pub address: usize,
    pub size: u32,
}

impl Step {
    pub(super) const NOTHING: Self = Self {
        kind: Kind::Load,
        thread: 0,
        location: NONE,
        order: Order::Relaxed,
        failure: Order::Relaxed,
        expected: 0,
        count: 0,
        options: [0; KEPT],
        access: Access::NONE,
        unsettled: NONE,
        address: 0,
        size: 0,
    };
}

impl Memory {
    /// How many stores the load can read.
    #[inline]
    pub fn load(&mut self, thread: usize, address: usize, size: u32, order: Order) -> u32 {
        self.prepare(Kind::Load, thread, address, size, (order, order), 0)
    }

    /// How many places the store can have.
    #[inline]
    pub fn store(&mut self, thread: usize, address: usize, size: u32, order: Order) -> u32 {
        self.prepare(Kind::Store, thread, address, size, (order, order), 0)
    }

    /// How many stores it can read, directly after which it then comes.
    #[inline]
    pub fn read_modify_write(&mut self, thread: usize, address: usize, size: u32, order: Order) -> u32 {
        self.prepare(Kind::Update, thread, address, size, (order, order), 0)
    }

    /// How many stores it can read. One that holds another value than the expected one makes it a load of the second order.
    ///
    /// A weak one that is to fail in any case must be a `load` instead.
    #[inline]
    pub fn compare_exchange(
        &mut self,
        thread: usize,
        address: usize,
        size: u32,
        order: Order,
        failure: Order,
        expected: [u8; 16],
    ) -> u32 {
        let bits = 8 * size.min(cells::LARGEST);
        let expected = u128::from_le_bytes(expected) & u128::MAX.checked_shr(128 - bits).unwrap_or(0);
        self.prepare(Kind::CompareExchange, thread, address, size, (order, failure), expected)
    }

    #[inline]
    fn prepare(
        &mut self,
        kind: Kind,
        thread: usize,
        address: usize,
        size: u32,
        (order, failure): (Order, Order),
        expected: u128,
    ) -> u32 {
        self.begin_step(thread);
        if self.histories.is_full() {
            self.grow(0);
        }
        let location = self.histories.find(address, size);
        let step = &mut self.step;
        (step.kind, step.thread, step.location, step.order, step.failure) = (kind, thread, location, order, failure);
        (step.address, step.size, step.expected) = (address, size, expected);
        step.count = 1;
        step.options[0] = self.histories.location(location).newest;
        match self.level {
            Level::Sc => 1,
            // No cell holds it.
            _ if size > cells::LARGEST => 1,
            Level::Tso => self.find_buffered(),
            Level::Cpp20 => self.find_allowed(),
        }
    }

    /// What the last native operation left is copied into its record.
    #[inline]
    pub fn settle(&mut self) {
        if self.step.unsettled != NONE {
            let value = cells::read(self.step.address, self.step.size);
            self.histories.cells.set(self.step.unsettled as usize, value);
            self.step.unsettled = NONE;
        }
    }

    #[inline]
    pub(super) fn begin_step(&mut self, thread: usize) {
        self.settle();
        if thread >= self.begun {
            self.begin_thread(thread);
        }
        self.released = None;
        self.acquired.clear();
    }

    /// Whether it would be a load, reading that record, and of which order it would be.
    #[inline]
    pub(super) fn as_what(&self, record: u32) -> (Kind, Order) {
        let step = &self.step;
        match step.kind {
            Kind::CompareExchange if self.histories.cells.get(record as usize) == step.expected => {
                (Kind::Update, step.order)
            }
            Kind::CompareExchange => (Kind::Load, step.failure),
            kind => (kind, step.order),
        }
    }

    /// If something unseen wrote there, only that can be read. What was picked earlier is settled.
    #[inline]
    fn look(&mut self) {
        let newest = self.step.options[0] as usize;
        let value = cells::read(self.step.address, self.step.size);
        if value != self.histories.cells.get(newest) {
            self.histories.begin_anew(self.step.location, value);
        }
    }

    /// A load sees the newest store that has left its buffer, or a newer one, or the newest one of its own thread. All else is
    /// made at once: stores are made in the order in which they leave their buffers.
    #[inline(never)]
    fn find_buffered(&mut self) -> u32 {
        self.look();
        if self.step.kind == Kind::Load {
            let thread = self.step.thread;
            let seen = self.threads[thread].seen;
            let mut count = 0;
            let mut number = self.step.options[0];
            while number != NONE && count < KEPT {
                self.step.options[count] = number;
                count += 1;
                let record = self.histories.record(number);
                if record.key <= seen || usize::from(record.thread) == thread || record.thread == NOBODY {
                    break;
                }
                number = record.older;
            }
            self.step.count = count;
        }
        self.step.count as u32
    }

    /// From the newest to the newest that the thread has seen.
    #[inline(never)]
    fn find_allowed(&mut self) -> u32 {
        self.look();
        let (thread, location) = (self.step.thread, self.step.location);
        let ordered = self.step.order == Order::SeqCst || self.step.failure == Order::SeqCst;
        if ordered {
            self.window.make_room(&mut self.histories);
        }
        let watched = ordered || self.window.has_fences();
        if watched {
            self.step.access = self.window.access_by(thread, location, self.current.row(thread), ordered);
        }
        let (mut count, mut newer, mut number) = (0, 0, self.step.options[0]);
        while number != NONE && count < KEPT {
            if count == 0 || self.is_allowed(number, watched, newer) {
                self.step.options[count] = number;
                count += 1;
            }
            let first = self.histories.first.row(number as usize);
            if first[thread] != clocks::NEVER || clocks::any_less(first, self.current.row(thread)) {
                break;
            }
            let record = self.histories.record(number);
            newer |= record.read | record.written;
            number = record.older;
        }
        self.step.count = count;
        count as u32
    }

    /// Whether it can read that store, or be placed after it, which is not the newest.
    #[inline]
    fn is_allowed(&mut self, number: u32, watched: bool, newer: Nodes) -> bool {
        let (kind, order) = self.as_what(number);
        if kind != Kind::Load && !self.histories.has_gap(number) {
            return false;
        }
        if !watched {
            return true;
        }
        let pick = self.pick(number, kind, order, newer);
        !self.window.forbids(&self.histories, &self.step.access, &pick)
    }

    /// What is picked, or may be; a store has no key of its own yet.
    #[inline]
    pub(super) fn pick(&self, store: u32, kind: Kind, order: Order, newer: Nodes) -> Pick {
        let record = self.histories.record(store);
        let loads = kind == Kind::Load;
        let key = record.key + if loads { 1 } else { 2 };
        let acquires = kind != Kind::Store && order.acquires() && record.releases;
        Pick { ordered: order == Order::SeqCst, loads, key, store, acquires, newer }
    }
}
