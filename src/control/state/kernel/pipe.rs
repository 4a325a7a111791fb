//! Pipes: bytes on their way from one end to the other.

use std::collections::VecDeque;
use std::ffi::c_int;

use super::pieces::Pieces;
use super::{Errno, FileId, Kernel, Object};

/// What a pipe takes at first.
const CAPACITY: usize = 65_536;
/// So much is written in one piece or not at all.
pub(super) const ATOMIC: usize = libc::PIPE_BUF;
/// What `F_SETPIPE_SZ` may ask for.
const LARGEST: usize = 1 << 20;

impl Kernel {
    /// The descriptors of a new pipe's ends, that for reading first.
    pub fn pipe(&mut self, nonblocking: bool) -> Result<[c_int; 2], Errno> {
        let reader = Object::PipeReader { bytes: VecDeque::new(), capacity: CAPACITY, writer: None };
        let reader = self.create(reader, nonblocking);
        let end = self.create(Object::PipeWriter { reader: Some(reader) }, nonblocking);
        if let Object::PipeReader { writer, .. } = &mut self.of_mut(reader).object {
            *writer = Some(end);
        }
        self.give_numbers([reader, end])
    }

    /// Descriptors for two files, or for none.
    pub(super) fn give_numbers(&mut self, files: [FileId; 2]) -> Result<[c_int; 2], Errno> {
        let first = self.give_number(files[0]).inspect_err(|_| self.let_go(files[1]))?;
        let second = self.give_number(files[1]).inspect_err(|_| {
            let _ = self.close(first);
        })?;
        Ok([first, second])
    }

    pub(super) fn read_pipe(&mut self, file: FileId, into: &Pieces, most: usize) -> Result<usize, Errno> {
        let Object::PipeReader { bytes, capacity, writer } = &mut self.of_mut(file).object else {
            return Err(libc::EBADF);
        };
        if into.is_empty() {
            return Ok(0);
        }
        let writer = *writer;
        if bytes.is_empty() {
            return if writer.is_some() { Err(libc::EAGAIN) } else { Ok(0) };
        }
        let was_full = *capacity - bytes.len() < ATOMIC;
        let done = into.scatter(bytes, 0, most);
        bytes.drain(..done);
        if let Some(writer) = writer.filter(|_| was_full) {
            self.change(writer, libc::EPOLLOUT as u32 | libc::EPOLLWRNORM as u32);
        }
        Ok(done)
    }

    /// Writes what there is room for, from `skip` on.
    pub(super) fn write_pipe(&mut self, file: FileId, from: &Pieces, skip: usize, most: usize) -> Result<usize, Errno> {
        let Object::PipeWriter { reader } = self.object(file) else { return Err(libc::EBADF) };
        if from.is_empty() {
            return Ok(0);
        }
        let Some(reader) = *reader else { return Err(libc::EPIPE) };
        let Object::PipeReader { bytes, capacity, .. } = &mut self.of_mut(reader).object else {
            return Err(libc::EPIPE);
        };
        let room = *capacity - bytes.len().min(*capacity);
        let size = (from.len() - skip).min(most);
        if room == 0 || (from.len() <= ATOMIC && room < size) {
            return Err(libc::EAGAIN);
        }
        let done = from.gather(bytes, skip, size.min(room));
        self.change(reader, libc::EPOLLIN as u32 | libc::EPOLLRDNORM as u32);
        Ok(done)
    }

    /// `F_GETPIPE_SZ`, or with a size `F_SETPIPE_SZ`.
    pub fn pipe_size(&mut self, file: FileId, size: Option<usize>) -> Result<usize, Errno> {
        let reader = match self.object(file) {
            Object::PipeReader { .. } => file,
            Object::PipeWriter { reader } => reader.ok_or(libc::EBUSY)?,
            _ => return Err(libc::EBADF),
        };
        let Object::PipeReader { bytes, capacity, .. } = &mut self.of_mut(reader).object else {
            return Err(libc::EBADF);
        };
        if let Some(size) = size {
            let size = size.max(ATOMIC).next_power_of_two();
            if size > LARGEST {
                return Err(libc::EPERM);
            }
            if size < bytes.len() {
                return Err(libc::EBUSY);
            }
            *capacity = size;
        }
        Ok(*capacity)
    }
}
