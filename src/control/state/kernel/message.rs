//! Messages: what keeps its bounds on its way, and sends and receives of sockets of all kinds.

use std::collections::VecDeque;

use super::name::Name;
use super::pieces::Pieces;
use super::socket::{Kind, Message, Socket, State};
use super::{Errno, FileId, Kernel};

const READABLE: u32 = (libc::EPOLLIN | libc::EPOLLRDNORM) as u32;
const WRITABLE: u32 = (libc::EPOLLOUT | libc::EPOLLWRNORM | libc::EPOLLWRBAND) as u32;
/// Messages that wait at a socket of AF_UNIX before senders do.
pub(super) const MOST_MESSAGES: usize = 10;
/// The largest datagram of the internet.
const LARGEST: usize = 65_507;

/// What was received.
pub struct Received {
    pub size: usize,
    /// Of the message, of which the rest is gone.
    pub whole: usize,
    pub from: Option<Name>,
}

impl Kernel {
    /// Sends bytes from `skip` on, at most so many, or a message, to where it is connected or to a name.
    pub fn send(
        &mut self,
        file: FileId,
        from: &Pieces,
        skip: usize,
        most: usize,
        to: Option<&Name>,
    ) -> Result<usize, Errno> {
        let socket = self.socket(file)?;
        if socket.kind != Kind::Datagram && to.is_some() && socket.is_unix() {
            return Err(if socket.is_connected() { libc::EISCONN } else { libc::EOPNOTSUPP });
        }
        match socket.kind {
            Kind::Stream => self.send_bytes(file, from, skip, most),
            Kind::Packets => {
                self.write_error(file)?;
                let peer = self.socket(file)?.peer().ok_or(libc::EPIPE)?;
                if self.socket(peer)?.read_ended {
                    return Err(libc::EPIPE);
                }
                self.deliver(file, peer, from)
            }
            Kind::Datagram => self.send_datagram(file, from, to),
        }
    }

    fn send_datagram(&mut self, file: FileId, from: &Pieces, to: Option<&Name>) -> Result<usize, Errno> {
        let socket = self.socket(file)?;
        let unix = socket.is_unix();
        if !unix && from.len() > LARGEST || unix && from.len() > socket.send_capacity {
            return Err(libc::EMSGSIZE);
        }
        if unix && socket.write_ended {
            return Err(libc::EPIPE);
        }
        let fits = |other: &Socket| other.kind == Kind::Datagram && other.is_unix() == unix;
        let peer = match (to, &socket.peer_name) {
            (Some(name), _) => self.reached(&name.clone().reached(), fits),
            (None, _) if unix => match socket.state {
                State::Connected(Some(peer)) => Some(peer),
                State::Connected(None) => {
                    // Told once, and with it goes what has arrived.
                    let socket = self.socket_mut(file)?;
                    socket.state = State::New;
                    socket.messages.clear();
                    self.change(file, 0);
                    return Err(libc::ECONNREFUSED);
                }
                _ => return Err(libc::ENOTCONN),
            },
            (None, Some(name)) => self.reached(&name.clone().reached(), fits),
            (None, None) => return Err(libc::EDESTADDRREQ),
        };
        self.write_error(file)?;
        self.name_by_itself(file)?;
        let Some(peer) = peer else {
            if unix {
                let is_path = matches!(to, Some(Name::Path(_)));
                return Err(if is_path { libc::ENOENT } else { libc::ECONNREFUSED });
            }
            // It leaves, and the answer is for who is connected.
            let socket = self.socket_mut(file)?;
            if socket.is_connected() {
                socket.error = libc::ECONNREFUSED;
                self.change(file, 0);
            }
            return Ok(from.len());
        };
        let own = self.socket(file)?.name.clone().map(Name::reached);
        let other = self.socket(peer)?;
        if unix && other.read_ended {
            return Err(libc::EPIPE);
        }
        if unix && other.is_connected() && other.peer() != Some(file) {
            return Err(libc::EPERM);
        }
        let is_for_it = |name: &Name| Some(name.clone().reached()) == own;
        if !unix && other.peer_name.as_ref().is_some_and(|name| !is_for_it(name)) {
            return Ok(from.len()); // It is connected with another one.
        }
        self.deliver(file, peer, from)
    }

    fn deliver(&mut self, file: FileId, peer: FileId, from: &Pieces) -> Result<usize, Errno> {
        let own = self.socket(file)?.name.clone();
        let other = self.socket_mut(peer)?;
        let unix = other.is_unix();
        if unix && other.messages.len() > MOST_MESSAGES {
            return Err(libc::EAGAIN);
        }
        if !unix && (other.arrived() + from.len() > other.receive_capacity || other.read_ended) {
            return Ok(from.len()); // Datagrams get lost where there is no room.
        }
        let mut bytes = VecDeque::new();
        let size = from.gather(&mut bytes, 0, usize::MAX);
        let family = other.family;
        let from = if unix { own } else { own.map(|name| name.reached().seen_by(family)) };
        other.messages.push_back(Message { bytes, from });
        self.change(peer, READABLE);
        Ok(size)
    }

    /// Receives bytes, at most so many, or a message.
    pub fn receive(&mut self, file: FileId, into: &Pieces, most: usize, peeks: bool) -> Result<Received, Errno> {
        let nonblocking = self.is_nonblocking(file);
        let socket = self.socket_mut(file)?;
        let (kind, unix) = (socket.kind, socket.is_unix());
        if kind == Kind::Stream {
            let size = self.receive_bytes(file, into, 0, most, peeks)?;
            return Ok(Received { size, whole: size, from: None });
        }
        if kind == Kind::Packets && !socket.is_connected() {
            return Err(libc::ENOTCONN);
        }
        socket.take_error()?;
        let Some(message) = socket.messages.front() else {
            // As the system: only who would wait learns that no datagram will come.
            let ended = socket.read_ended && (kind == Kind::Packets || !nonblocking);
            return if ended { Ok(Received { size: 0, whole: 0, from: None }) } else { Err(libc::EAGAIN) };
        };
        let (size, whole) = (into.scatter(&message.bytes, 0, most), message.bytes.len());
        let from = message.from.clone();
        if !peeks {
            socket.messages.pop_front();
            if unix {
                self.make_room(file);
            }
        }
        Ok(Received { size, whole, from })
    }

    /// Receives bytes of a stream behind those that were received before.
    pub fn receive_more(&mut self, file: FileId, into: &Pieces, skip: usize) -> Result<usize, Errno> {
        self.receive_bytes(file, into, skip, usize::MAX, false)
    }

    /// Somebody may send to the socket again.
    fn make_room(&mut self, file: FileId) {
        if let Some(peer) = self.socket(file).ok().and_then(Socket::peer) {
            self.change(peer, WRITABLE);
        }
        // Those that send to its name wait at the socket itself.
        self.woken.push(self.place(file));
    }

    /// Where a sender waits: AF_UNIX datagrams for room at the receiver, all else at the socket itself.
    pub fn send_place(&self, file: FileId, to: Option<&Name>) -> usize {
        let is_unix = self.socket(file).is_ok_and(|socket| socket.is_unix() && socket.kind == Kind::Datagram);
        let receiver =
            to.filter(|_| is_unix).and_then(|name| self.reached(name, |socket| socket.kind == Kind::Datagram));
        self.place(receiver.unwrap_or(file))
    }

    /// Sets where datagrams go, and where they come from.
    pub fn connect_datagrams(&mut self, file: FileId, target: Option<&Name>) -> Result<(), Errno> {
        let Some(target) = target else {
            let socket = self.socket_mut(file)?;
            (socket.state, socket.peer_name) = (State::New, None);
            return Ok(());
        };
        self.name_by_itself(file)?;
        let unix = self.socket(file)?.is_unix();
        let target = target.clone().reached();
        let peer = self.reached(&target, |other| other.kind == Kind::Datagram && other.is_unix() == unix);
        if unix && peer.is_none() {
            return Err(if matches!(target, Name::Path(_)) { libc::ENOENT } else { libc::ECONNREFUSED });
        }
        let socket = self.socket_mut(file)?;
        socket.peer_name = Some(target.seen_by(socket.family));
        socket.state = State::Connected(peer.filter(|_| unix));
        if !unix && let Some(name) = socket.name.take() {
            socket.name = Some(name.reached().seen_by(socket.family));
        }
        Ok(())
    }
}
