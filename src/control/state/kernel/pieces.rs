//! The program's memory that a call reads from or fills, which may be in pieces.

use std::collections::VecDeque;

use super::Errno;

/// As many pieces as the kernel takes.
const MOST: usize = libc::UIO_MAXIOV as usize;

pub struct Pieces<'a> {
    pieces: &'a [libc::iovec],
    /// They came as a list, of which an empty one never gets as far as the file.
    listed: bool,
}

impl<'a> Pieces<'a> {
    /// # Safety
    /// Each piece is memory that the program may use as the call does, for as long as this lives.
    pub unsafe fn new(pieces: &'a [libc::iovec]) -> Self {
        Self { pieces, listed: false }
    }

    /// # Safety
    /// As `new`, if there are so many pieces at `first`.
    pub unsafe fn at(first: *const libc::iovec, count: usize) -> Result<Self, Errno> {
        match count {
            0 => Ok(Self { pieces: &[], listed: true }),
            // SAFETY: the caller's promise.
            1..=MOST => Ok(Self { pieces: unsafe { std::slice::from_raw_parts(first, count) }, listed: true }),
            _ => Err(libc::EINVAL),
        }
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.iov_len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An empty list.
    pub fn is_nothing(&self) -> bool {
        self.listed && self.is_empty()
    }

    /// Those that are not empty, as far as `most` bytes.
    pub fn parts(&self, most: usize) -> impl Iterator<Item = (*mut u8, usize)> + '_ {
        let mut left = most;
        let parts = self.pieces.iter().map(move |piece| {
            let size = piece.iov_len.min(left);
            left -= size;
            (piece.iov_base.cast::<u8>(), size)
        });
        parts.filter(|(_, size)| *size > 0)
    }

    /// Adds what is there from `skip` on to `bytes`, at most so much; how much that was.
    pub fn gather(&self, bytes: &mut VecDeque<u8>, skip: usize, most: usize) -> usize {
        let before = bytes.len();
        let mut skip = skip;
        for (start, size) in self.parts(usize::MAX) {
            let passed = skip.min(size);
            skip -= passed;
            let size = (size - passed).min(most - (bytes.len() - before));
            // SAFETY: part of a piece, see `new`.
            bytes.extend(unsafe { std::slice::from_raw_parts(start.add(passed), size) });
        }
        bytes.len() - before
    }

    /// Fills the pieces from `skip` on with the first of `bytes`; how many that were.
    pub fn scatter(&self, bytes: &VecDeque<u8>, skip: usize, most: usize) -> usize {
        let most = most.min(bytes.len());
        let (front, back) = bytes.as_slices();
        let (mut skip, mut done) = (skip, 0);
        for (start, size) in self.parts(usize::MAX) {
            let passed = skip.min(size);
            skip -= passed;
            let end = done + (size - passed).min(most - done);
            // SAFETY: part of a piece, see `new`.
            let mut target = unsafe { start.add(passed) };
            while done < end {
                let source = if done < front.len() { &front[done..] } else { &back[done - front.len()..] };
                let size = source.len().min(end - done);
                // SAFETY: `end` keeps both within their memory.
                unsafe {
                    std::ptr::copy(source.as_ptr(), target, size);
                    target = target.add(size);
                }
                done += size;
            }
        }
        done
    }
}
