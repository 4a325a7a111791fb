//! The second half of a step: what was picked is done.

use super::cells;
use super::clocks;
use super::history::{NOBODY, NONE, Record};
use super::options::Kind;
use super::{Level, Memory, Order};

impl Memory {
    /// Makes the step with what was picked, and gives the address on which the program must now operate.
    ///
    /// A pick for which there is no option counts as the oldest one.
    pub fn commit(&mut self, pick: u32) -> usize {
        let pick = (pick as usize).min(self.step.count.saturating_sub(1));
        let record = self.step.options[pick];
        self.steps += 1;
        let newest = pick == 0;
        self.source = self.histories.record(record).step;
        if self.level == Level::Sc {
            self.commit_in_place(record);
            return self.step.address;
        }
        let (kind, order) = self.as_what(record);
        if kind == Kind::Load {
            self.commit_load(record, newest, order)
        } else {
            self.commit_store(kind, record, newest, order)
        }
    }

    /// The store that the last load or read-modify-write read, or after which the last store was placed: which step of the
    /// execution made it, counted from 1. `None` if it was there before, or something unseen wrote it.
    #[must_use]
    pub fn source(&self) -> Option<u32> {
        (self.source != NONE).then_some(self.source)
    }

    /// The number of the last step, counted from 1: loads, stores, and what is both.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// The only record of a location stands for all stores, of which only the last is ever read.
    fn commit_in_place(&mut self, record: u32) {
        let (thread, at) = (self.step.thread, record as usize);
        let (kind, order) = match self.step.kind {
            Kind::CompareExchange if cells::read(self.step.address, self.step.size) == self.step.expected => {
                (Kind::Update, self.step.order)
            }
            Kind::CompareExchange => (Kind::Load, self.step.failure),
            kind => (kind, self.step.order),
        };
        if kind != Kind::Store {
            self.take(record, order.acquires());
        }
        if kind == Kind::Load {
            return;
        }
        // A release sequence goes on with read-modify-writes only.
        let goes_on = kind == Kind::Update && self.histories.records[at].releases;
        let released = if order.releases() {
            self.publish(thread);
            Some(self.current.row(thread))
        } else {
            self.threads[thread].has_fence.then(|| self.fence.row(thread))
        };
        let row = self.histories.clocks.row_mut(at);
        let record = &mut self.histories.records[at];
        record.releases = goes_on || released.is_some();
        match released {
            Some(released) if goes_on => clocks::join(row, released),
            Some(released) => clocks::copy(row, released),
            None => {}
        }
        record.step = self.steps;
    }

    fn commit_load(&mut self, record: u32, newest: bool, order: Order) -> usize {
        let (thread, number) = (self.step.thread, record as usize);
        let Record { key, thread: writer, .. } = self.histories.records[number];
        let is_others = usize::from(writer) != thread && writer != NOBODY;
        if self.level == Level::Cpp20 {
            self.order(record, record, Kind::Load, order);
            let first = &mut self.histories.first.row_mut(number)[thread];
            *first = (*first).min(self.threads[thread].releases);
        } else {
            let locked = self.step.kind == Kind::CompareExchange;
            let thread = &mut self.threads[thread];
            if is_others {
                thread.seen = thread.seen.max(key);
            }
            if locked {
                thread.seen = thread.seen.max(thread.stored);
            }
        }
        self.take(record, order.acquires());
        if newest {
            return self.step.address;
        }
        let value = self.histories.cells.get(number);
        // A compare-exchange may write back what it read.
        let cell = self.histories.scratch();
        self.histories.cells.set(cell, value);
        self.histories.cells.address(cell)
    }

    fn commit_store(&mut self, kind: Kind, from: u32, newest: bool, order: Order) -> usize {
        let (thread, location) = (self.step.thread, self.step.location);
        let update = kind == Kind::Update;
        let number = self.histories.place_after(location, from);
        let at = number as usize;
        let before = self.threads[thread].releases;
        if self.level == Level::Cpp20 {
            self.order(from, number, kind, order);
            self.histories.first.row_mut(at)[thread] = before;
        } else {
            self.time += 1;
            self.histories.records[at].key = self.time;
            let thread = &mut self.threads[thread];
            thread.stored = self.time;
            if update || order == Order::SeqCst {
                thread.seen = self.time;
            }
        }
        if update {
            self.take(from, order.acquires());
        }
        let goes_on = update && self.histories.record(from).releases;
        let released = if order.releases() {
            self.publish(thread);
            Some(self.current.row(thread))
        } else {
            self.threads[thread].has_fence.then(|| self.fence.row(thread))
        };
        let record = &mut self.histories.records[at];
        (record.step, record.thread, record.update) = (self.steps, thread as u16, update);
        record.releases = goes_on || released.is_some();
        if let Some(released) = released {
            clocks::copy(self.histories.clocks.row_mut(at), released);
        }
        if goes_on {
            let (to, from) = self.histories.clocks.pair(at, from as usize);
            if released.is_some() { clocks::join(to, from) } else { clocks::copy(to, from) }
        }
        if newest {
            self.step.unsettled = number;
            return self.step.address;
        }
        let value = self.histories.cells.get(from as usize);
        self.histories.cells.set(at, value);
        self.histories.cells.address(at)
    }

    /// Tells the order of sequentially consistent operations of an access, before it acquires: it reads `from` or is placed
    /// after it, and is or reads `record`.
    #[inline]
    fn order(&mut self, from: u32, record: u32, kind: Kind, order: Order) {
        if order != Order::SeqCst && !self.window.has_fences() {
            return;
        }
        let mut newer = 0;
        let mut next = self.histories.record(record).newer;
        while next != NONE {
            let record = self.histories.record(next);
            newer |= record.read | record.written;
            next = record.newer;
        }
        let mut pick = self.pick(from, kind, order, newer);
        if kind != Kind::Load {
            pick.key = self.histories.record(record).key;
        }
        let Self { histories, window, step, threads, .. } = self;
        // It strongly happens before what acquires the next release of its thread, not its own.
        let own = kind != Kind::Load && order.releases();
        let number = threads[step.thread].releases + u32::from(own) + 1;
        window.add_access(histories, &step.access, &pick, number, record);
    }

    /// A thread has read that store.
    fn take(&mut self, record: u32, acquires: bool) {
        if !self.histories.record(record).releases {
            return;
        }
        let thread = self.step.thread;
        let clock = self.histories.clocks.row(record as usize);
        if acquires {
            self.acquired.join(self.current.row_mut(thread), clock);
        } else if self.threads[thread].has_read {
            clocks::join(self.read.row_mut(thread), clock);
        } else {
            clocks::copy(self.read.row_mut(thread), clock);
            self.threads[thread].has_read = true;
        }
    }

    /// A thread makes a release.
    #[inline]
    pub(super) fn publish(&mut self, thread: usize) {
        let number = &mut self.threads[thread].releases;
        *number += 1;
        self.current.row_mut(thread)[thread] = *number;
        self.released = Some((thread, *number));
    }

    /// A fence; one that is sequentially consistent acquires first, and then releases.
    pub fn fence(&mut self, thread: usize, order: Order) {
        self.begin_step(thread);
        let ordered = order == Order::SeqCst;
        if ordered && self.level == Level::Cpp20 {
            self.window.make_room(&mut self.histories);
        }
        if order.acquires() && self.threads[thread].has_read {
            // What was read stays: it is known now, so it need not be read again.
            self.acquired.join(self.current.row_mut(thread), self.read.row(thread));
            self.threads[thread].has_read = false;
        }
        if order.releases() {
            self.publish(thread);
            clocks::copy(self.fence.row_mut(thread), self.current.row(thread));
            self.threads[thread].has_fence = true;
        }
        match self.level {
            Level::Cpp20 if ordered => {
                let number = self.threads[thread].releases;
                self.window.add_fence(&self.histories, thread, self.current.row(thread), number);
            }
            Level::Tso if ordered => {
                let thread = &mut self.threads[thread];
                thread.seen = thread.seen.max(thread.stored);
            }
            _ => {}
        }
    }
}
