//! Options of sockets. Those that change nothing here are kept and told.

use std::ffi::c_int;

use super::socket::{Kind, Socket, State};
use super::{Errno, FileId, Kernel};

/// The system doubles the sizes of buffers, and keeps them above these.
const SMALLEST_SEND: usize = 4_608;
const SMALLEST_RECEIVE: usize = 2_304;
const LARGEST: usize = 212_992;

fn number(value: &[u8]) -> Result<c_int, Errno> {
    let bytes = value.get(..size_of::<c_int>()).and_then(|bytes| bytes.try_into().ok());
    bytes.map(c_int::from_ne_bytes).ok_or(libc::EINVAL)
}

/// A length of time in nanoseconds, from a `timeval`.
fn length(value: &[u8]) -> Result<u64, Errno> {
    let part = |index: usize| {
        let bytes = value.get(index * 8..index * 8 + 8).and_then(|bytes| bytes.try_into().ok());
        bytes.map(i64::from_ne_bytes).ok_or(libc::EINVAL)
    };
    let (seconds, micros) = (part(0)?, part(1)?);
    if !(0..1_000_000).contains(&micros) {
        return Err(libc::EDOM);
    }
    Ok(u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000_000_000).saturating_add(micros as u64 * 1_000))
}

fn timeval(nanoseconds: u64) -> Vec<u8> {
    let (seconds, micros) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000 / 1_000);
    [seconds.to_ne_bytes(), micros.to_ne_bytes()].concat()
}

impl Kernel {
    pub fn set_option(&mut self, file: FileId, level: c_int, name: c_int, value: &[u8]) -> Result<(), Errno> {
        let socket = self.socket_mut(file)?;
        match (level, name) {
            (libc::SOL_SOCKET, libc::SO_SNDBUF) => {
                let size = usize::try_from(number(value)?).unwrap_or(LARGEST).min(LARGEST);
                socket.send_capacity = (2 * size).max(SMALLEST_SEND);
            }
            (libc::SOL_SOCKET, libc::SO_RCVBUF) => {
                let size = usize::try_from(number(value)?).unwrap_or(LARGEST).min(LARGEST);
                socket.receive_capacity = (2 * size).max(SMALLEST_RECEIVE);
            }
            (libc::SOL_SOCKET, libc::SO_SNDTIMEO) => socket.send_time = length(value)?,
            (libc::SOL_SOCKET, libc::SO_RCVTIMEO) => socket.receive_time = length(value)?,
            (libc::SOL_SOCKET, libc::SO_REUSEADDR) => socket.reuses_address = number(value)? != 0,
            (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY) => socket.only_v6 = number(value)? != 0,
            (libc::SOL_SOCKET, libc::SO_LINGER) => {
                let is_on = number(value)? != 0;
                let seconds = number(value.get(size_of::<c_int>()..).unwrap_or_default())?;
                socket.resets_on_close = is_on && seconds == 0 && socket.is_tcp();
                keep(socket, level, name, value);
            }
            (libc::SOL_SOCKET, libc::SO_ERROR | libc::SO_TYPE | libc::SO_DOMAIN | libc::SO_PROTOCOL) => {
                return Err(libc::ENOPROTOOPT);
            }
            (libc::SOL_SOCKET, _) => {
                number(value)?;
                keep(socket, level, name, value);
            }
            _ if socket.is_unix() => return Err(libc::EOPNOTSUPP),
            _ => keep(socket, level, name, value),
        }
        Ok(())
    }

    pub fn option(&mut self, file: FileId, level: c_int, name: c_int) -> Result<Vec<u8>, Errno> {
        let socket = self.socket_mut(file)?;
        let number = |number: c_int| Ok(number.to_ne_bytes().to_vec());
        match (level, name) {
            (libc::SOL_SOCKET, libc::SO_ERROR) => number(std::mem::take(&mut socket.error)),
            (libc::SOL_SOCKET, libc::SO_TYPE) => number(match socket.kind {
                Kind::Stream => libc::SOCK_STREAM,
                Kind::Datagram => libc::SOCK_DGRAM,
                Kind::Packets => libc::SOCK_SEQPACKET,
            }),
            (libc::SOL_SOCKET, libc::SO_DOMAIN) => number(socket.family),
            (libc::SOL_SOCKET, libc::SO_PROTOCOL) => number(match socket.kind {
                _ if socket.is_unix() => 0,
                Kind::Stream => libc::IPPROTO_TCP,
                _ => libc::IPPROTO_UDP,
            }),
            (libc::SOL_SOCKET, libc::SO_ACCEPTCONN) => {
                number(c_int::from(matches!(socket.state, State::Listening { .. })))
            }
            (libc::SOL_SOCKET, libc::SO_SNDBUF) => number(socket.send_capacity as c_int),
            (libc::SOL_SOCKET, libc::SO_RCVBUF) => number(socket.receive_capacity as c_int),
            (libc::SOL_SOCKET, libc::SO_SNDTIMEO) => Ok(timeval(socket.send_time)),
            (libc::SOL_SOCKET, libc::SO_RCVTIMEO) => Ok(timeval(socket.receive_time)),
            (libc::SOL_SOCKET, libc::SO_REUSEADDR) => number(c_int::from(socket.reuses_address)),
            (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY) => number(c_int::from(socket.only_v6)),
            _ => {
                let kept = socket.options.iter().find(|kept| (kept.0, kept.1) == (level, name));
                match kept {
                    Some((.., value)) => Ok(value.clone()),
                    None if (level, name) == (libc::SOL_SOCKET, libc::SO_LINGER) => Ok(vec![0; 8]),
                    None if socket.is_unix() && level != libc::SOL_SOCKET => Err(libc::EOPNOTSUPP),
                    None => number(0),
                }
            }
        }
    }

    /// Nanoseconds that a call on the socket waits at most, to receive or to send; `None` for no bound.
    pub fn patience(&self, file: FileId, sends: bool) -> Option<u64> {
        let socket = self.socket(file).ok()?;
        Some(if sends { socket.send_time } else { socket.receive_time }).filter(|&time| time > 0)
    }
}

fn keep(socket: &mut Socket, level: c_int, name: c_int, value: &[u8]) {
    socket.options.retain(|kept| (kept.0, kept.1) != (level, name));
    socket.options.push((level, name, value.to_vec()));
}
