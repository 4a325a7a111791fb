//! Names of sockets (`sockaddr`). Only those inside the process: paths and abstract names of AF_UNIX, and loopback.

use std::ffi::c_int;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::Errno;

const V4_SIZE: usize = size_of::<libc::sockaddr_in>();
const V6_SIZE: usize = size_of::<libc::sockaddr_in6>();
/// Where the port, the address of version 4 and that of version 6 stand in a `sockaddr`.
const PORT: usize = 2;
const V4: usize = 4;
const V6: usize = 8;
const PATH: usize = 2;
/// Names of AF_UNIX, with their family.
const LONGEST: usize = size_of::<libc::sockaddr_un>();

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    Path(Vec<u8>),
    Abstract(Vec<u8>),
    V4(Ipv4Addr, u16),
    V6(Ipv6Addr, u16),
}

/// Why bytes are no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Fails(Errno),
    /// It is outside of the process.
    Outside,
    /// AF_UNIX: the system is to choose.
    Unnamed,
    /// AF_UNSPEC: no name from here on.
    Dissolve,
}

impl Name {
    /// The name in a `sockaddr`, for a socket of that family.
    pub fn parse(bytes: &[u8], family: c_int) -> Result<Self, Refusal> {
        let Some(own) = bytes.get(..2) else { return Err(Refusal::Fails(libc::EINVAL)) };
        let own = c_int::from(u16::from_ne_bytes([own[0], own[1]]));
        if own == libc::AF_UNSPEC {
            return Err(Refusal::Dissolve);
        }
        if own != family {
            let mismatch = if family == libc::AF_UNIX { libc::EINVAL } else { libc::EAFNOSUPPORT };
            return Err(Refusal::Fails(mismatch));
        }
        let port = |bytes: &[u8]| u16::from_be_bytes([bytes[PORT], bytes[PORT + 1]]);
        match family {
            libc::AF_UNIX if bytes.len() > LONGEST => Err(Refusal::Fails(libc::EINVAL)),
            libc::AF_UNIX => match &bytes[PATH..] {
                [] => Err(Refusal::Unnamed),
                [0, name @ ..] => Ok(Self::Abstract(name.to_vec())),
                path => Ok(Self::Path(path.split(|byte| *byte == 0).next().unwrap_or(path).to_vec())),
            },
            libc::AF_INET if bytes.len() < V4_SIZE => Err(Refusal::Fails(libc::EINVAL)),
            libc::AF_INET => {
                let address = Ipv4Addr::from(<[u8; 4]>::try_from(&bytes[V4..V4 + 4]).unwrap_or_default());
                let inside = address.is_loopback() || address.is_unspecified();
                if inside { Ok(Self::V4(address, port(bytes))) } else { Err(Refusal::Outside) }
            }
            _ if bytes.len() < V6_SIZE => Err(Refusal::Fails(libc::EINVAL)),
            _ => {
                let address = Ipv6Addr::from(<[u8; 16]>::try_from(&bytes[V6..V6 + 16]).unwrap_or_default());
                let mapped = address.to_ipv4_mapped();
                let inside = address.is_loopback()
                    || address.is_unspecified()
                    || mapped.is_some_and(|address| address.is_loopback() || address.is_unspecified());
                if inside { Ok(Self::V6(address, port(bytes))) } else { Err(Refusal::Outside) }
            }
        }
    }

    /// As a `sockaddr`.
    pub fn bytes(&self) -> Vec<u8> {
        let family = |family: c_int| (family as u16).to_ne_bytes().to_vec();
        match self {
            Self::Path(path) => [&family(libc::AF_UNIX)[..], path, &[0]].concat(),
            Self::Abstract(name) => [&family(libc::AF_UNIX)[..], &[0], name].concat(),
            Self::V4(address, port) => {
                [&family(libc::AF_INET)[..], &port.to_be_bytes(), &address.octets(), &[0; 8]].concat()
            }
            Self::V6(address, port) => {
                [&family(libc::AF_INET6)[..], &port.to_be_bytes(), &[0; 4], &address.octets(), &[0; 4]].concat()
            }
        }
    }

    /// The bytes that stand for no name.
    pub fn none(family: c_int) -> Vec<u8> {
        match family {
            libc::AF_UNIX => (libc::AF_UNIX as u16).to_ne_bytes().to_vec(),
            libc::AF_INET => Self::V4(Ipv4Addr::UNSPECIFIED, 0).bytes(),
            _ => Self::V6(Ipv6Addr::UNSPECIFIED, 0).bytes(),
        }
    }

    pub fn any(family: c_int, port: u16) -> Self {
        match family {
            libc::AF_INET => Self::V4(Ipv4Addr::UNSPECIFIED, port),
            _ => Self::V6(Ipv6Addr::UNSPECIFIED, port),
        }
    }

    pub fn port(&self) -> Option<u16> {
        match self {
            Self::V4(_, port) | Self::V6(_, port) => Some(*port),
            Self::Path(_) | Self::Abstract(_) => None,
        }
    }

    pub fn with_port(self, port: u16) -> Self {
        match self {
            Self::V4(address, _) => Self::V4(address, port),
            Self::V6(address, _) => Self::V6(address, port),
            other => other,
        }
    }

    /// The address to reach it by: loopback in place of any, version 4 in place of what is mapped into version 6.
    pub fn reached(self) -> Self {
        match self {
            Self::V4(address, port) if address.is_unspecified() => Self::V4(Ipv4Addr::LOCALHOST, port),
            Self::V6(address, port) if address.is_unspecified() => Self::V6(Ipv6Addr::LOCALHOST, port),
            Self::V6(address, port) => match address.to_ipv4_mapped() {
                Some(address) => Self::V4(address, port).reached(),
                None => Self::V6(address, port),
            },
            other => other,
        }
    }

    /// As a socket of that family tells it.
    pub fn seen_by(self, family: c_int) -> Self {
        match self {
            Self::V4(address, port) if family == libc::AF_INET6 => Self::V6(address.to_ipv6_mapped(), port),
            other => other,
        }
    }

    /// Whether a socket with this name, in version 6 alone or in both, gets what is sent to `target`, which is `reached`.
    pub fn receives(&self, target: &Self, only_v6: bool) -> bool {
        match (self, target) {
            (Self::V4(own, port), Self::V4(address, to)) => port == to && (own == address || own.is_unspecified()),
            (Self::V6(own, port), Self::V6(address, to)) => port == to && (own == address || own.is_unspecified()),
            (Self::V6(own, port), Self::V4(address, to)) => {
                port == to && !only_v6 && (own.is_unspecified() || own.to_ipv4_mapped() == Some(*address))
            }
            (own, target) => own == target,
        }
    }

    /// Whether two sockets cannot have these names at a time.
    pub fn conflicts(&self, other: &Self, only_v6: bool) -> bool {
        self.port() == other.port()
            && (self.receives(&other.clone().reached(), only_v6) || other.receives(&self.clone().reached(), only_v6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_way_to_bytes_and_back() {
        let names = [
            (libc::AF_UNIX, Name::Path(b"/tmp/socket".to_vec())),
            (libc::AF_UNIX, Name::Abstract(b"a\0b".to_vec())),
            (libc::AF_INET, Name::V4(Ipv4Addr::LOCALHOST, 80)),
            (libc::AF_INET6, Name::V6(Ipv6Addr::LOCALHOST, 8080)),
        ];
        for (family, name) in names {
            assert_eq!(Name::parse(&name.bytes(), family), Ok(name.clone()), "{name:?}");
        }
    }

    #[test]
    fn what_is_not_on_this_machine_is_outside() {
        let far = Name::V4(Ipv4Addr::new(192, 0, 2, 1), 80).bytes();
        assert_eq!(Name::parse(&far, libc::AF_INET), Err(Refusal::Outside));
        assert_eq!(Name::parse(&far, libc::AF_INET6), Err(Refusal::Fails(libc::EAFNOSUPPORT)));
        assert_eq!(Name::parse(&far[..8], libc::AF_INET), Err(Refusal::Fails(libc::EINVAL)));
    }

    #[test]
    fn a_socket_of_both_versions_is_reached_by_either() {
        let any = Name::V6(Ipv6Addr::UNSPECIFIED, 80);
        let target = Name::V4(Ipv4Addr::LOCALHOST, 80);
        assert!(any.receives(&target, false));
        assert!(!any.receives(&target, true));
        assert!(any.conflicts(&target, false));
        assert!(!any.conflicts(&target, true));
    }
}
