//! The first half of a step: what can be picked.

use super::cells;
use super::history::{KEPT, NOBODY, NONE};
use super::window::Access;
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
    /// The first `count`: indices of the stores that can be read, or after which the store can be placed.
    pub options: [u8; KEPT],
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
        unsettled: NONE,
        address: 0,
        size: 0,
    };
}

impl Memory {
    /// How many stores the load can read.
    pub fn load(&mut self, thread: usize, address: usize, size: u32, order: Order) -> u32 {
        self.prepare(Kind::Load, thread, address, size, (order, order), 0)
    }

    /// How many places the store can have.
    pub fn store(&mut self, thread: usize, address: usize, size: u32, order: Order) -> u32 {
        self.prepare(Kind::Store, thread, address, size, (order, order), 0)
    }

    /// How many stores it can read, directly after which it then comes.
    pub fn read_modify_write(&mut self, thread: usize, address: usize, size: u32, order: Order) -> u32 {
        self.prepare(Kind::Update, thread, address, size, (order, order), 0)
    }

    /// How many stores it can read. One that holds another value than the expected one makes it a load of the second order.
    ///
    /// A weak one that is to fail in any case must be a `load` instead.
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
        self.begin_step();
        if self.histories.is_full() {
            self.grow(0);
        }
        let location = self.histories.find(address, size);
        let step = &mut self.step;
        (step.kind, step.thread, step.location, step.order, step.failure) = (kind, thread, location, order, failure);
        (step.address, step.size, step.expected) = (address, size, expected);
        step.count = 1;
        step.options[0] = (self.histories.location(location).count - 1) as u8;
        if self.level != Level::Sc {
            // Whether something unseen wrote there; what was picked earlier is known to be settled.
            let value = cells::read(address, size);
            if value != self.histories.cells.get(self.histories.newest(location) as usize) {
                self.histories.begin_anew(location, value);
                self.step.options[0] = 0;
            }
            match self.level {
                Level::Sc => {}
                Level::Tso => self.find_buffered(),
                Level::Cpp20 => self.find_allowed(),
            }
        }
        self.step.count as u32
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
    pub(super) fn begin_step(&mut self) {
        self.settle();
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

    /// A load sees the newest store that has left its buffer, or a newer one, or the newest one of its own thread. All else is
    /// made at once: stores are made in the order in which they leave their buffers.
    fn find_buffered(&mut self) {
        if self.step.kind != Kind::Load {
            return;
        }
        let thread = self.step.thread;
        let seen = self.threads[thread].seen;
        let location = self.histories.location(self.step.location);
        let mut count = 0;
        for index in (0..location.count).rev() {
            self.step.options[count] = index as u8;
            count += 1;
            let record = self.histories.record(location.stores[index]);
            if record.key <= seen || usize::from(record.thread) == thread || record.thread == NOBODY {
                break;
            }
        }
        self.step.count = count;
    }

    /// From the newest to the newest that the thread has seen.
    fn find_allowed(&mut self) {
        let thread = self.step.thread;
        if self.step.order == Order::SeqCst || self.step.failure == Order::SeqCst {
            self.window.make_room(&mut self.histories);
        }
        let last = self.histories.location(self.step.location).count - 1;
        if last == 0 {
            return;
        }
        let clock = self.current.row(thread);
        let floor = self.histories.newest_seen(self.step.location, clock, Some(thread)).unwrap_or(0);
        let mut count = 1;
        for index in (floor..last).rev() {
            let number = self.histories.location(self.step.location).stores[index];
            let record = *self.histories.record(number);
            let (kind, order) = self.as_what(number);
            let key = match kind {
                Kind::Load => record.key + 1,
                _ if self.histories.has_gap(self.step.location, index) => record.key + 2,
                _ => continue,
            };
            let acquires = kind != Kind::Store && order.acquires() && record.releases;
            let acquired = acquires.then(|| self.histories.clocks.row(number as usize));
            let ordered = order == Order::SeqCst;
            if ordered || self.window.has_fences() {
                let access = Access { thread, location: self.step.location, ordered };
                if self.window.forbids(&self.histories, &access, self.current.row(thread), key, acquired) {
                    continue;
                }
            }
            self.step.options[count] = index as u8;
            count += 1;
        }
        self.step.count = count;
    }
}
