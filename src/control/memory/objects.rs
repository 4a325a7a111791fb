//! Locks and whatever else orders threads by calls and not by atomic operations: a clock for each.

use super::clocks::{self, Acquired, Rows};
use super::places::Places;

pub(super) struct Objects {
    /// By what identifies it: mostly its address.
    places: Places,
    clocks: Rows,
}

impl Objects {
    pub(super) fn new() -> Self {
        const OBJECTS: usize = 64;
        Self { places: Places::new(OBJECTS), clocks: Rows::new(OBJECTS, 0) }
    }

    pub(super) fn begin(&mut self) {
        self.places.begin();
        self.clocks.begin();
    }

    pub(super) fn widen(&mut self, lanes: usize) {
        self.clocks.widen(self.places.count(), lanes);
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.places.is_full()
    }

    pub(super) fn grow(&mut self, threads: usize) {
        if self.is_full() {
            self.places.grow();
        }
        let (rows, stride) = (self.places.capacity(), threads.max(self.clocks.capacity()));
        if rows > self.clocks.rows() || stride > self.clocks.capacity() {
            self.clocks.grow(rows, stride);
        }
    }

    /// A thread with that clock releases it; there must be room.
    #[inline]
    pub(super) fn release(&mut self, object: usize, clock: &[u32]) {
        if let Some(row) = self.places.get(object) {
            clocks::join(self.clocks.row_mut(row as usize), clock);
        } else {
            let row = self.places.add(object);
            clocks::copy(self.clocks.row_mut(row as usize), clock);
        }
    }

    /// A thread with that clock acquires it.
    #[inline]
    pub(super) fn acquire(&self, object: usize, clock: &mut [u32], acquired: &mut Acquired) {
        if let Some(row) = self.places.get(object) {
            acquired.join(clock, self.clocks.row(row as usize));
        }
    }

    /// Those in that range are no more, and what was released by them cannot be acquired.
    #[inline]
    pub(super) fn forget(&mut self, first: usize, last: usize) {
        if !self.places.may_have(first, last) {
            return;
        }
        let mut range = self.places.range(first, last);
        while let Some(row) = self.places.next(&mut range) {
            self.clocks.clear(row as usize);
        }
    }
}
