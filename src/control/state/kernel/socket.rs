//! What a socket remembers, and how it ends.

use std::collections::VecDeque;
use std::ffi::c_int;

use super::name::Name;
use super::{Errno, FileId, Kernel, Object};

/// What a socket takes on its way at first.
const CAPACITY: usize = 212_992;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Stream,
    Datagram,
    /// Messages, on a connection.
    Packets,
}

pub enum State {
    New,
    Listening {
        backlog: usize,
        /// Connections that nobody has accepted.
        queue: VecDeque<FileId>,
        /// Sockets that connect as soon as there is room.
        waiting: VecDeque<FileId>,
    },
    /// It waits for room at that one.
    Connecting(FileId),
    /// The other end; `None` once that is gone. Of datagram sockets of the internet the name is all that counts.
    Connected(Option<FileId>),
}

pub struct Message {
    pub bytes: VecDeque<u8>,
    pub from: Option<Name>,
}

pub struct Socket {
    pub family: c_int,
    pub kind: Kind,
    pub state: State,
    pub name: Option<Name>,
    pub peer_name: Option<Name>,
    /// What has arrived.
    pub bytes: VecDeque<u8>,
    pub messages: VecDeque<Message>,
    /// AF_UNIX: the lengths of what was written at once, of which room is made as a whole.
    pub chunks: VecDeque<usize>,
    /// Nothing more is read, or written.
    pub read_ended: bool,
    pub write_ended: bool,
    /// The other end said so itself, and is not merely gone.
    pub finished: bool,
    /// The other end was closed; what is sent there is answered with a reset.
    pub peer_closed: bool,
    /// Told once.
    pub error: Errno,
    /// What is on its way to the other end at most.
    pub send_capacity: usize,
    pub receive_capacity: usize,
    /// Virtual nanoseconds; 0 waits for ever.
    pub send_time: u64,
    pub receive_time: u64,
    pub reuses_address: bool,
    pub only_v6: bool,
    /// `connect` said that it is on its way, and was not asked since.
    pub connect_in_progress: bool,
    /// Closing throws away what is on its way, and resets the connection.
    pub resets_on_close: bool,
    /// Options that change nothing here, as they were set.
    pub options: Vec<(c_int, c_int, Vec<u8>)>,
}

impl Socket {
    pub fn new(family: c_int, kind: Kind) -> Self {
        Self {
            family,
            kind,
            state: State::New,
            name: None,
            peer_name: None,
            bytes: VecDeque::new(),
            messages: VecDeque::new(),
            chunks: VecDeque::new(),
            read_ended: false,
            write_ended: false,
            finished: false,
            peer_closed: false,
            error: 0,
            send_capacity: CAPACITY,
            receive_capacity: CAPACITY,
            send_time: 0,
            receive_time: 0,
            reuses_address: false,
            only_v6: false,
            connect_in_progress: false,
            resets_on_close: false,
            options: Vec::new(),
        }
    }

    pub fn is_unix(&self) -> bool {
        self.family == libc::AF_UNIX
    }

    /// A TCP socket.
    pub fn is_tcp(&self) -> bool {
        !self.is_unix() && self.kind == Kind::Stream
    }

    pub fn is_datagram(&self) -> bool {
        self.kind == Kind::Datagram
    }

    pub fn is_listening(&self) -> bool {
        matches!(self.state, State::Listening { .. })
    }

    pub fn is_connected(&self) -> bool {
        matches!(self.state, State::Connected(_))
    }

    pub fn peer(&self) -> Option<FileId> {
        match self.state {
            State::Connected(peer) => peer,
            _ => None,
        }
    }

    /// Where the other end is, if it is connected.
    pub fn peer_address(&self) -> Option<Vec<u8>> {
        self.is_connected().then(|| self.peer_name.as_ref().map_or_else(|| Name::none(self.family), Name::bytes))
    }

    /// The error that is to be told, which is told no more.
    pub fn take_error(&mut self) -> Result<(), Errno> {
        match std::mem::take(&mut self.error) {
            0 => Ok(()),
            error => Err(error),
        }
    }

    /// Bytes that have arrived.
    pub fn arrived(&self) -> usize {
        self.bytes.len() + self.messages.iter().map(|message| message.bytes.len()).sum::<usize>()
    }

    pub fn has_arrived(&self) -> bool {
        !self.bytes.is_empty() || !self.messages.is_empty()
    }
}

impl Kernel {
    pub fn socket(&self, file: FileId) -> Result<&Socket, Errno> {
        match self.object(file) {
            Object::Socket(socket) => Ok(socket),
            _ => Err(libc::ENOTSOCK),
        }
    }

    pub fn socket_mut(&mut self, file: FileId) -> Result<&mut Socket, Errno> {
        match &mut self.of_mut(file).object {
            Object::Socket(socket) => Ok(socket),
            _ => Err(libc::ENOTSOCK),
        }
    }

    pub fn open_socket(&mut self, socket: Socket, nonblocking: bool) -> Result<c_int, Errno> {
        self.open(Object::Socket(Box::new(socket)), nonblocking)
    }

    /// Two sockets that are connected with each other.
    pub fn socket_pair(&mut self, kind: Kind, nonblocking: bool) -> Result<[c_int; 2], Errno> {
        let files = [0; 2].map(|_| {
            let socket = Socket::new(libc::AF_UNIX, kind);
            self.create(Object::Socket(Box::new(socket)), nonblocking)
        });
        self.join(files[0], files[1])?;
        self.give_numbers(files)
    }

    /// Makes the two the ends of one connection.
    pub(super) fn join(&mut self, one: FileId, other: FileId) -> Result<(), Errno> {
        self.socket_mut(one)?.state = State::Connected(Some(other));
        self.socket_mut(other)?.state = State::Connected(Some(one));
        Ok(())
    }

    pub fn shut_down(&mut self, file: FileId, reading: bool, writing: bool) -> Result<(), Errno> {
        let socket = self.socket_mut(file)?;
        if socket.is_tcp() && socket.is_listening() {
            if reading {
                self.stop_listening(file)?;
                self.change(file, 0);
            }
            return Ok(());
        }
        socket.read_ended |= reading;
        socket.write_ended |= writing;
        let (unix, tcp, peer) = (socket.is_unix(), socket.is_tcp(), socket.peer());
        // As the system: it has its effect nevertheless, so that whoever polls wakes.
        let result = if unix || socket.is_connected() { Ok(()) } else { Err(libc::ENOTCONN) };
        let tells = if unix { socket.kind != Kind::Datagram } else { tcp };
        self.change(file, 0);
        if let Some(peer) = peer.filter(|_| tells) {
            let other = self.socket_mut(peer)?;
            other.read_ended |= writing;
            other.finished |= writing;
            other.write_ended |= unix && reading;
            self.change(peer, 0);
        }
        result
    }

    /// The connection is gone all at once, at both ends.
    pub fn reset(&mut self, file: FileId) -> Result<(), Errno> {
        let peer = self.socket(file)?.peer();
        for end in std::iter::once(file).chain(peer) {
            self.break_off(end, libc::ECONNRESET)?;
        }
        Ok(())
    }

    /// This end is told that the other one is gone.
    pub(super) fn break_off(&mut self, file: FileId, error: Errno) -> Result<(), Errno> {
        let socket = self.socket_mut(file)?;
        socket.state = if socket.is_tcp() { State::New } else { State::Connected(None) };
        (socket.read_ended, socket.write_ended, socket.error) = (true, true, error);
        self.change(file, 0);
        Ok(())
    }

    /// Nobody refers to the socket any more.
    pub(super) fn release_socket(&mut self, file: FileId, socket: Socket) {
        let unread = socket.arrived() > 0;
        let resets = unread && (socket.is_tcp() || socket.is_unix() && socket.kind != Kind::Datagram);
        match socket.state {
            State::Listening { queue, waiting, .. } => self.end_queue(queue, waiting),
            State::Connecting(listener) => {
                if let Ok(Socket { state: State::Listening { waiting, .. }, .. }) = self.socket_mut(listener) {
                    waiting.retain(|socket| *socket != file);
                }
            }
            State::Connected(Some(peer)) if socket.kind == Kind::Datagram => {
                // A peer that sends here is told, and everyone who waits for room.
                if let Ok(other) = self.socket_mut(peer)
                    && other.peer() == Some(file)
                {
                    other.state = State::Connected(None);
                    self.change(peer, 0);
                }
            }
            State::Connected(Some(peer)) if socket.family != libc::AF_UNIX && (resets || socket.resets_on_close) => {
                let _ = self.break_off(peer, libc::ECONNRESET);
            }
            State::Connected(Some(peer)) => {
                if let Ok(other) = self.socket_mut(peer) {
                    other.state = State::Connected(None);
                    other.read_ended = true;
                    other.finished = true;
                    other.peer_closed = true;
                    if socket.family == libc::AF_UNIX {
                        other.write_ended = true;
                        if resets {
                            other.error = libc::ECONNRESET;
                        }
                    }
                    self.change(peer, 0);
                }
            }
            State::New | State::Connected(None) => {}
        }
    }
}
