//! Bytes on connections, and reads and writes of whatever a descriptor stands for.

use super::message::MOST_MESSAGES;
use super::pieces::Pieces;
use super::pipe::ATOMIC;
use super::socket::{Kind, Socket, State};
use super::{Errno, FileId, Kernel, Object};

const WRITABLE: u32 = (libc::EPOLLOUT | libc::EPOLLWRNORM | libc::EPOLLWRBAND) as u32;
const READABLE: u32 = (libc::EPOLLIN | libc::EPOLLRDNORM) as u32;

impl Kernel {
    /// Reads at most so many bytes. Neither signals nor messages with names.
    pub fn read(&mut self, file: FileId, into: &Pieces, most: usize) -> Result<usize, Errno> {
        match self.object(file) {
            Object::PipeWriter { .. } => Err(libc::EBADF),
            Object::Epoll(_) => Err(libc::EINVAL),
            _ if into.is_nothing() => Ok(0),
            Object::PipeReader { .. } => self.read_pipe(file, into, most),
            Object::Socket(_) if into.is_empty() => Ok(0),
            Object::Socket(_) => Ok(self.receive(file, into, most, false)?.size),
            Object::Event { .. } | Object::Timer(_) => {
                if into.len() < size_of::<u64>() {
                    return Err(libc::EINVAL);
                }
                let number = self.take_number(file)?;
                Ok(into.scatter(&number.to_ne_bytes().into(), 0, size_of::<u64>()))
            }
            _ => Err(libc::EINVAL),
        }
    }

    /// Writes what there is room for, from `skip` on and at most so much.
    pub fn write(&mut self, file: FileId, from: &Pieces, skip: usize, most: usize) -> Result<usize, Errno> {
        match self.object(file) {
            Object::PipeReader { .. } => Err(libc::EBADF),
            Object::Epoll(_) | Object::Timer(_) | Object::Signals(_) => Err(libc::EINVAL),
            _ if from.is_nothing() => Ok(0),
            Object::PipeWriter { .. } => self.write_pipe(file, from, skip, most),
            Object::Socket(_) => self.send(file, from, skip, most, None),
            Object::Event { .. } => {
                // Of a list each piece would be a number.
                let mut bytes = std::collections::VecDeque::new();
                let first = from.parts(usize::MAX).next().map_or(0, |(_, size)| size);
                if from.gather(&mut bytes, 0, first.min(size_of::<u64>())) < size_of::<u64>() {
                    return Err(libc::EINVAL);
                }
                let number = bytes.iter().rev().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
                self.add_to_event(file, if cfg!(target_endian = "big") { number.swap_bytes() } else { number })?;
                Ok(size_of::<u64>())
            }
            _ => Err(libc::EINVAL),
        }
    }

    /// Bytes that a read would find.
    pub fn waiting(&self, file: FileId) -> Result<usize, Errno> {
        match self.object(file) {
            Object::PipeReader { bytes, .. } => Ok(bytes.len()),
            Object::PipeWriter { reader } => reader.map_or(Ok(0), |reader| self.waiting(reader)),
            Object::Socket(socket) if socket.is_listening() => Err(libc::EINVAL),
            Object::Socket(socket) if socket.kind == Kind::Datagram => {
                Ok(socket.messages.front().map_or(0, |message| message.bytes.len()))
            }
            Object::Socket(socket) => Ok(socket.arrived()),
            _ => Err(libc::ENOTTY),
        }
    }

    /// Whether a write may be cut into pieces: as far as it goes, and then the rest.
    pub fn is_divisible(&self, file: FileId, size: usize) -> bool {
        match self.object(file) {
            Object::PipeWriter { .. } => size > ATOMIC,
            Object::Socket(socket) => socket.kind == Kind::Stream && size > 1,
            _ => false,
        }
    }

    /// What keeps a socket from writing, told as the system tells it.
    pub(super) fn write_error(&mut self, file: FileId) -> Result<(), Errno> {
        let socket = self.socket_mut(file)?;
        let (tcp, kind) = (socket.is_tcp(), socket.kind);
        if tcp {
            if socket.write_ended || socket.error != 0 {
                return Err(socket.take_error().err().unwrap_or(libc::EPIPE));
            }
            return match socket.state {
                State::Connected(_) => Ok(()),
                State::Connecting(_) => Err(libc::EAGAIN),
                _ => Err(libc::EPIPE),
            };
        }
        if kind != Kind::Datagram && !socket.is_connected() {
            return Err(libc::ENOTCONN);
        }
        if kind != Kind::Stream {
            socket.take_error()?;
        }
        if socket.write_ended { Err(libc::EPIPE) } else { Ok(()) }
    }

    pub(super) fn send_bytes(&mut self, file: FileId, from: &Pieces, skip: usize, most: usize) -> Result<usize, Errno> {
        self.write_error(file)?;
        let socket = self.socket(file)?;
        let (capacity, unix) = (socket.send_capacity, socket.is_unix());
        if from.is_empty() {
            return Ok(0);
        }
        let Some(peer) = socket.peer() else {
            if unix || !socket.peer_closed {
                return Err(libc::EPIPE);
            }
            // It leaves this end; the answer is a reset.
            self.break_off(file, libc::EPIPE)?;
            return Ok((from.len() - skip).min(most));
        };
        let other = self.socket_mut(peer)?;
        if unix && other.read_ended {
            return Err(libc::EPIPE);
        }
        let room = capacity.saturating_sub(other.bytes.len());
        if room == 0 {
            return Err(libc::EAGAIN);
        }
        let done = from.gather(&mut other.bytes, skip, room.min(most));
        if unix {
            other.chunks.push_back(done);
        }
        self.change(peer, READABLE);
        Ok(done)
    }

    /// Reads bytes of a connection, to the pieces from `skip` on.
    pub(super) fn receive_bytes(
        &mut self,
        file: FileId,
        into: &Pieces,
        skip: usize,
        most: usize,
        peeks: bool,
    ) -> Result<usize, Errno> {
        let socket = self.socket_mut(file)?;
        if socket.is_unix() && !socket.is_connected() {
            return Err(libc::EINVAL);
        }
        if socket.bytes.is_empty() {
            if socket.finished && socket.is_tcp() {
                return Ok(0);
            }
            socket.take_error()?;
            return match socket.state {
                _ if socket.read_ended => Ok(0),
                State::Connected(_) | State::Connecting(_) => Err(libc::EAGAIN),
                State::New | State::Listening { .. } => Err(libc::ENOTCONN),
            };
        }
        let done = into.scatter(&socket.bytes, skip, most);
        if peeks {
            return Ok(done);
        }
        let before = socket.bytes.len();
        socket.bytes.drain(..done);
        let (left, unix, peer) = (socket.bytes.len(), socket.is_unix(), socket.peer());
        let freed = drop_chunks(socket, done);
        let Some(peer) = peer else { return Ok(done) };
        let capacity = self.socket(peer)?.send_capacity;
        let makes_room = if unix {
            freed && is_writable(true, left, capacity)
        } else {
            !is_writable(false, before, capacity) && is_writable(false, left, capacity)
        };
        if makes_room {
            self.change(peer, WRITABLE);
        } else {
            // Whoever blocks in a write goes on as soon as there is any room.
            self.woken.push(self.place(peer));
        }
        Ok(done)
    }

    /// Whether a poll of that socket says that it can be written.
    pub(super) fn has_room(&self, socket: &Socket) -> bool {
        let is_full = |peer: &Socket| socket.is_unix() && peer.messages.len() > MOST_MESSAGES;
        if socket.peer().and_then(|peer| self.socket(peer).ok()).is_some_and(is_full) {
            return false;
        }
        let waiting = socket.peer().and_then(|peer| self.socket(peer).ok()).map_or(0, Socket::arrived);
        is_writable(socket.is_unix(), waiting, socket.send_capacity)
    }
}

/// AF_UNIX has room again when three quarters are free, TCP when a third is.
fn is_writable(unix: bool, waiting: usize, capacity: usize) -> bool {
    if unix {
        waiting.saturating_mul(4) <= capacity
    } else {
        capacity.saturating_sub(waiting) >= waiting / 2 && waiting < capacity
    }
}

/// Bytes were read; whether that was the last of something that was written at once.
fn drop_chunks(socket: &mut Socket, mut read: usize) -> bool {
    let mut ended = false;
    while let Some(first) = socket.chunks.front_mut() {
        if *first > read {
            *first -= read;
            break;
        }
        read -= *first;
        socket.chunks.pop_front();
        ended = true;
    }
    ended
}
