//! What a poll of a file tells, in the bits of `epoll`, which are those of `poll`.

use super::pipe::ATOMIC;
use super::socket::{Kind, Socket, State};
use super::{FileId, Kernel, Object};

const IN: u32 = libc::EPOLLIN as u32;
const OUT: u32 = libc::EPOLLOUT as u32;
const ERR: u32 = libc::EPOLLERR as u32;
const HUP: u32 = libc::EPOLLHUP as u32;
const RDHUP: u32 = libc::EPOLLRDHUP as u32;
const READ: u32 = IN | libc::EPOLLRDNORM as u32;
const WRITE: u32 = OUT | libc::EPOLLWRNORM as u32;
const WRITE_ALL: u32 = WRITE | libc::EPOLLWRBAND as u32;

/// `bits` if it is so.
fn when(is_so: bool, bits: u32) -> u32 {
    if is_so { bits } else { 0 }
}

impl Kernel {
    pub fn ready(&self, file: FileId) -> u32 {
        match self.object(file) {
            Object::Free => 0,
            Object::Event { count, .. } => when(*count > 0, IN) | when(*count < u64::MAX - 1, OUT),
            Object::Timer(timer) => when(timer.ticks > 0, IN),
            Object::Signals(set) => when(set.and(self.moment.pending).first().is_some(), IN),
            Object::PipeReader { bytes, writer, .. } => when(!bytes.is_empty(), READ) | when(writer.is_none(), HUP),
            Object::PipeWriter { reader } => {
                let room = match reader.map(|reader| self.object(reader)) {
                    Some(Object::PipeReader { bytes, capacity, .. }) => capacity.saturating_sub(bytes.len()),
                    _ => ATOMIC,
                };
                when(room >= ATOMIC, WRITE) | when(reader.is_none(), ERR)
            }
            Object::Epoll(epoll) => when(self.has_ready(epoll), READ),
            Object::Socket(socket) => self.ready_socket(socket),
        }
    }

    /// A call was cut down, so that it got less than there was. Programs may take that for all there was, and wait for an
    /// edge (epoll(7) says so): the rest comes, or has room, just after the call.
    pub fn tell_rest(&mut self, file: FileId, events: u32) {
        let rest = self.ready(file) & events;
        if rest != 0 {
            self.wake(file, rest);
        }
    }

    fn ready_socket(&self, socket: &Socket) -> u32 {
        let both_ended = socket.read_ended && socket.write_ended;
        let common = when(socket.error != 0, ERR)
            | when(both_ended, HUP)
            | when(socket.read_ended, RDHUP | READ)
            | when(socket.has_arrived(), READ);
        let connects = socket.kind != Kind::Datagram;
        match &socket.state {
            State::Listening { queue, .. } if socket.is_tcp() => when(!queue.is_empty(), READ),
            State::Listening { queue, .. } => common | when(!queue.is_empty(), READ),
            State::Connecting(_) if socket.is_tcp() => when(socket.error != 0, ERR),
            _ if socket.is_tcp() => {
                let is_closed = !socket.is_connected();
                let room = socket.write_ended || self.has_room(socket);
                common | when(is_closed, HUP) | when(room, WRITE)
            }
            _ => {
                let is_closed = connects && !socket.is_connected();
                common | when(is_closed, HUP) | when(self.has_room(socket), WRITE_ALL)
            }
        }
    }
}
