//! Names, listening and connections.

use std::collections::VecDeque;

use super::name::Name;
use super::socket::{Kind, Socket, State};
use super::{Errno, FileId, Kernel, Object};

/// Ports that sockets get which name none begin after it.
pub(super) const FIRST_PORT: u16 = 40_000;

/// What came of `connect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connecting {
    Done,
    /// It will be, once there is room.
    Waits,
}

impl Kernel {
    fn sockets(&self) -> impl Iterator<Item = (FileId, &Socket)> {
        (0..self.files.len()).map(FileId).filter_map(|file| Some((file, self.socket(file).ok()?)))
    }

    pub fn bind(&mut self, file: FileId, name: Name) -> Result<(), Errno> {
        let socket = self.socket(file)?;
        if socket.name.is_some() {
            return Err(libc::EINVAL);
        }
        let name = match name.port() {
            Some(0) => {
                let port = self.free_port(&name);
                name.with_port(port)
            }
            _ => name,
        };
        let socket = self.socket(file)?;
        let datagram = socket.kind == Kind::Datagram;
        let taken = self.sockets().any(|(_, other)| {
            let Some(taken) = &other.name else { return false };
            if name.port().is_none() {
                return *taken == name;
            }
            let shares = socket.reuses_address && other.reuses_address && (datagram || !other.is_listening());
            (other.kind == Kind::Datagram) == datagram
                && taken.conflicts(&name, socket.only_v6 || other.only_v6)
                && !shares
                && (datagram || !other.is_connected() || !socket.reuses_address)
        });
        if taken {
            return Err(libc::EADDRINUSE);
        }
        self.socket_mut(file)?.name = Some(name);
        Ok(())
    }

    /// A port that no socket has.
    fn free_port(&mut self, name: &Name) -> u16 {
        loop {
            self.last_port = self.last_port.checked_add(1).unwrap_or(FIRST_PORT);
            let port = self.last_port;
            let name = name.clone().with_port(port);
            if !self.sockets().any(|(_, other)| other.name.as_ref().is_some_and(|taken| taken.port() == name.port())) {
                return port;
            }
        }
    }

    /// Gives a socket of the internet a name if it has none.
    pub(super) fn name_by_itself(&mut self, file: FileId) -> Result<(), Errno> {
        let socket = self.socket(file)?;
        if socket.name.is_none() && !socket.is_unix() {
            self.bind(file, Name::any(self.socket(file)?.family, 0))?;
        }
        Ok(())
    }

    /// A path was removed; whether a socket had it. The socket stays as it is, out of reach.
    pub fn unlink(&mut self, path: &[u8]) -> bool {
        let is_it = |socket: &Socket| matches!(&socket.name, Some(Name::Path(own)) if own == path);
        let found = self.sockets().find(|(_, socket)| is_it(socket)).map(|(file, _)| file);
        // Its name begins as no path does.
        let gone = || Name::Abstract([&b"\0unlinked "[..], path].concat());
        found.and_then(|file| self.socket_mut(file).ok()).map(|socket| socket.name = Some(gone())).is_some()
    }

    pub fn listen(&mut self, file: FileId, most: usize) -> Result<(), Errno> {
        let socket = self.socket(file)?;
        if socket.kind == Kind::Datagram {
            return Err(libc::EOPNOTSUPP);
        }
        if socket.is_unix() && socket.name.is_none() || !matches!(socket.state, State::New | State::Listening { .. }) {
            return Err(libc::EINVAL);
        }
        self.name_by_itself(file)?;
        let socket = self.socket_mut(file)?;
        match &mut socket.state {
            State::Listening { backlog, .. } => *backlog = most,
            state => *state = State::Listening { backlog: most, queue: VecDeque::new(), waiting: VecDeque::new() },
        }
        self.change(file, 0);
        Ok(())
    }

    /// The socket that gets what is sent to a name, of those that fit.
    pub(super) fn reached(&self, target: &Name, fits: impl Fn(&Socket) -> bool) -> Option<FileId> {
        let receives = |socket: &Socket| socket.name.as_ref().is_some_and(|name| name.receives(target, socket.only_v6));
        self.sockets().find(|(_, socket)| fits(socket) && receives(socket)).map(|(file, _)| file)
    }

    /// Connects a socket of a stream or of packets.
    pub fn connect(&mut self, file: FileId, target: &Name) -> Result<Connecting, Errno> {
        let socket = self.socket(file)?;
        let (kind, unix) = (socket.kind, socket.is_unix());
        match socket.state {
            State::Connected(_) => return Err(libc::EISCONN),
            State::Connecting(_) => return Err(libc::EALREADY),
            State::Listening { .. } => return Err(if unix { libc::EINVAL } else { libc::EISCONN }),
            State::New => {}
        }
        self.name_by_itself(file)?;
        let reached = target.clone().reached();
        let Some(listener) =
            self.reached(&reached, |socket| socket.kind == kind && socket.is_listening() && !socket.read_ended)
        else {
            let exists = self.reached(&reached, |_| true).is_some();
            let is_path = matches!(target, Name::Path(_));
            return Err(if is_path && !exists { libc::ENOENT } else { libc::ECONNREFUSED });
        };
        let family = self.socket(file)?.family;
        self.socket_mut(file)?.peer_name = Some(reached.seen_by(family));
        let State::Listening { backlog, queue, waiting } = &mut self.socket_mut(listener)?.state else {
            return Err(libc::ECONNREFUSED);
        };
        if queue.len() > *backlog {
            if unix {
                return Err(libc::EAGAIN);
            }
            waiting.push_back(file);
            self.socket_mut(file)?.state = State::Connecting(listener);
            return Ok(Connecting::Waits);
        }
        self.arrive(file, listener)?;
        Ok(Connecting::Done)
    }

    /// Connects a socket of TCP. Where the caller cannot wait, what came of it is told later.
    pub fn connect_stream(&mut self, file: FileId, target: &Name, waits: bool) -> Result<Connecting, Errno> {
        let socket = self.socket_mut(file)?;
        if socket.is_connected() && std::mem::take(&mut socket.connect_in_progress) {
            return Ok(Connecting::Done);
        }
        if !socket.is_connected() {
            (socket.read_ended, socket.write_ended) = (false, false);
            socket.take_error()?;
        }
        let connecting = self.connect(file, target);
        if waits {
            return connecting;
        }
        let socket = self.socket_mut(file)?;
        match connecting {
            Err(libc::ECONNREFUSED) => {
                (socket.read_ended, socket.write_ended, socket.error) = (true, true, libc::ECONNREFUSED);
            }
            Err(error) => return Err(error),
            Ok(_) => socket.connect_in_progress = true,
        }
        self.change(file, 0);
        Err(libc::EINPROGRESS)
    }

    /// Where a thread waits for room in the queue that it connects to.
    pub fn connect_place(&self, file: FileId, target: &Name) -> usize {
        let listener = self.reached(target, Socket::is_listening);
        self.place(listener.unwrap_or(file))
    }

    /// Gives a socket of AF_UNIX a name that nobody has.
    pub fn bind_unnamed(&mut self, file: FileId) -> Result<(), Errno> {
        if self.socket(file)?.name.is_some() {
            return Ok(());
        }
        let taken = |number: usize| {
            let name = Name::Abstract(format!("{number:05x}").into_bytes());
            self.sockets().all(|(_, socket)| socket.name.as_ref() != Some(&name)).then_some(name)
        };
        let name = (0..).find_map(taken).ok_or(libc::ENOSPC)?;
        self.bind(file, name)
    }

    /// A connection arrives in a queue.
    fn arrive(&mut self, file: FileId, listener: FileId) -> Result<(), Errno> {
        let (from, to) = {
            let socket = self.socket(file)?;
            let from = socket.name.clone().map(Name::reached);
            (from, socket.peer_name.clone().map(Name::reached))
        };
        let listening = self.socket(listener)?;
        let family = listening.family;
        let mut accepted = Socket::new(family, listening.kind);
        accepted.reuses_address = listening.reuses_address;
        accepted.name = if listening.is_unix() { listening.name.clone() } else { to.map(|name| name.seen_by(family)) };
        accepted.peer_name = from.clone().map(|name| name.seen_by(family));
        let accepted = self.create(Object::Socket(Box::new(accepted)), false);
        self.join(file, accepted)?;
        let socket = self.socket_mut(file)?;
        if let Some(from) = from.filter(|_| !socket.is_unix()) {
            socket.name = Some(from.seen_by(socket.family));
        }
        if let State::Listening { queue, .. } = &mut self.socket_mut(listener)?.state {
            queue.push_back(accepted);
        }
        self.change(listener, (libc::EPOLLIN | libc::EPOLLRDNORM) as u32);
        self.change(file, libc::EPOLLOUT as u32);
        Ok(())
    }

    /// Takes the first connection from a queue: its descriptor and where it comes from.
    pub fn accept(&mut self, file: FileId, nonblocking: bool) -> Result<(i32, Vec<u8>), Errno> {
        // As the system: only who would wait learns that nobody will come.
        let may_wait = !self.is_nonblocking(file);
        let socket = self.socket_mut(file)?;
        if socket.kind == Kind::Datagram {
            return Err(libc::EOPNOTSUPP);
        }
        let ended = socket.read_ended && may_wait;
        let State::Listening { queue, waiting, .. } = &mut socket.state else { return Err(libc::EINVAL) };
        let Some(accepted) = queue.pop_front() else {
            return Err(if ended { libc::EINVAL } else { libc::EAGAIN });
        };
        let next = waiting.pop_front();
        self.set_nonblocking(accepted, nonblocking);
        let from = self.socket(accepted).map(|socket| match &socket.peer_name {
            Some(name) => name.bytes(),
            None => Name::none(socket.family),
        })?;
        let number = self.give_number(accepted)?;
        match next {
            Some(next) => self.arrive(next, file)?,
            None => self.change(file, libc::EPOLLOUT as u32),
        }
        Ok((number, from))
    }

    pub(super) fn stop_listening(&mut self, file: FileId) -> Result<(), Errno> {
        let state = std::mem::replace(&mut self.socket_mut(file)?.state, State::New);
        if let State::Listening { queue, waiting, .. } = state {
            self.end_queue(queue, waiting);
        }
        Ok(())
    }

    /// Connections that nobody will accept are reset, and those that wait for room are refused.
    pub(super) fn end_queue(&mut self, queue: VecDeque<FileId>, waiting: VecDeque<FileId>) {
        for accepted in queue {
            if let Some(peer) = self.socket(accepted).ok().and_then(Socket::peer) {
                let _ = self.break_off(peer, libc::ECONNRESET);
            }
            if let Ok(socket) = self.socket_mut(accepted) {
                socket.state = State::Connected(None);
            }
            self.let_go(accepted);
        }
        for file in waiting {
            if let Ok(socket) = self.socket_mut(file) {
                (socket.state, socket.error) = (State::New, libc::ECONNREFUSED);
            }
            self.change(file, 0);
        }
    }
}
