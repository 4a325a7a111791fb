//! Vector clocks: by thread, how many of its releases are known.
//!
//! Clocks pass from thread to thread by releases only, so the number of a thread's releases is all the time there is: what
//! a thread did after its n-th release happens before another one's step if that one has acquired more than n of them.

/// More than any number of a clock.
pub(super) const NEVER: u32 = i32::MAX as u32;

/// Numbers are signed for the processor, which compares those more quickly.
#[inline]
fn is_less(one: u32, other: u32) -> bool {
    (one as i32) < other as i32
}

/// Clocks grow by so many threads at once; a row is read and written in pieces of this size.
pub(super) const PIECE: usize = 8;

/// Rows of one number for each thread.
pub(super) struct Rows {
    numbers: Vec<u32>,
    /// From one row to the next; a multiple of `PIECE`.
    stride: usize,
    /// How much of each row is in use; a multiple of `PIECE`.
    lanes: usize,
    /// What a thread's number is before anything else is said.
    nothing: u32,
}

impl Rows {
    pub(super) fn new(rows: usize, nothing: u32) -> Self {
        Self { numbers: vec![nothing; rows * PIECE], stride: PIECE, lanes: PIECE, nothing }
    }

    pub(super) fn begin(&mut self) {
        self.lanes = PIECE;
    }

    pub(super) fn rows(&self) -> usize {
        self.numbers.len() / self.stride
    }

    pub(super) fn capacity(&self) -> usize {
        self.stride
    }

    /// Gives the first `rows` rows room for `lanes` threads, of which there are not more than the capacity.
    pub(super) fn widen(&mut self, rows: usize, lanes: usize) {
        for row in 0..rows {
            let at = row * self.stride;
            self.numbers[at + self.lanes..at + lanes].fill(self.nothing);
        }
        self.lanes = lanes;
    }

    /// Makes room for that many rows, and threads in each.
    pub(super) fn grow(&mut self, rows: usize, stride: usize) {
        let mut numbers = vec![self.nothing; rows * stride];
        for (new, old) in numbers.chunks_exact_mut(stride).zip(self.numbers.chunks_exact(self.stride)) {
            new[..self.stride].copy_from_slice(old);
        }
        self.numbers = numbers;
        self.stride = stride;
    }

    #[inline]
    pub(super) fn row(&self, row: usize) -> &[u32] {
        &self.numbers[row * self.stride..][..self.lanes]
    }

    #[inline]
    pub(super) fn row_mut(&mut self, row: usize) -> &mut [u32] {
        &mut self.numbers[row * self.stride..][..self.lanes]
    }

    /// Two different rows, the first to be changed.
    #[inline]
    pub(super) fn pair(&mut self, to: usize, from: usize) -> (&mut [u32], &[u32]) {
        let (stride, lanes) = (self.stride, self.lanes);
        if to < from {
            let (left, right) = self.numbers.split_at_mut(from * stride);
            (&mut left[to * stride..][..lanes], &right[..lanes])
        } else {
            let (left, right) = self.numbers.split_at_mut(to * stride);
            (&mut right[..lanes], &left[from * stride..][..lanes])
        }
    }

    #[inline]
    pub(super) fn clear(&mut self, row: usize) {
        let nothing = self.nothing;
        for piece in self.row_mut(row).as_chunks_mut::<PIECE>().0 {
            *piece = [nothing; PIECE];
        }
    }
}

/// Copies a clock.
#[inline]
pub(super) fn copy(to: &mut [u32], from: &[u32]) {
    for (to, from) in to.as_chunks_mut::<PIECE>().0.iter_mut().zip(from.as_chunks::<PIECE>().0) {
        *to = *from;
    }
}

/// Joins a clock into another one.
#[inline]
pub(super) fn join(to: &mut [u32], from: &[u32]) {
    for (to, from) in to.as_chunks_mut::<PIECE>().0.iter_mut().zip(from.as_chunks::<PIECE>().0) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = if is_less(*to, *from) { *from } else { *to };
        }
    }
}

/// Whether a number of the one is less than that of the other.
#[inline]
pub(super) fn any_less(one: &[u32], other: &[u32]) -> bool {
    let pieces = one.as_chunks::<PIECE>().0.iter().zip(other.as_chunks::<PIECE>().0);
    for (one, other) in pieces {
        // All of a piece at once, without branches.
        let less = one.iter().zip(other).fold(false, |less, (one, other)| less | is_less(*one, *other));
        if less {
            return true;
        }
    }
    false
}

/// What a step has acquired: for each thread of which releases were new, the last one.
pub(super) struct Acquired {
    /// As many as there are threads, of which the first `count` are used.
    entries: Vec<(u16, u32)>,
    count: usize,
}

impl Acquired {
    pub(super) fn new() -> Self {
        Self { entries: vec![(0, 0); PIECE], count: 0 }
    }

    pub(super) fn grow(&mut self, threads: usize) {
        self.entries.resize(threads, (0, 0));
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    #[inline]
    pub(super) fn entries(&self) -> &[(u16, u32)] {
        &self.entries[..self.count]
    }

    /// Joins a clock into a thread's; once in a step.
    #[inline]
    pub(super) fn join(&mut self, to: &mut [u32], from: &[u32]) {
        if !any_less(to, from) {
            return;
        }
        for (thread, (to, from)) in to.iter_mut().zip(from).enumerate() {
            // Without branches: which threads are new is hardly predicted.
            self.entries[self.count] = (thread as u16, *from);
            let new = is_less(*to, *from);
            self.count += usize::from(new);
            *to = if new { *from } else { *to };
        }
    }
}
