//! The numbers of descriptors. They are real descriptors of `/dev/null`, which the process keeps, so that the system gives
//! them to nothing else; the lowest that is free comes first, so they are the same in every execution.

use std::ffi::c_int;

use super::{Errno, FileId};
use crate::control::real::real;

/// Numbers are below it, so that they fit a `select`.
pub const HIGHEST: usize = libc::FD_SETSIZE;
/// The first number, unless the system's limit is lower than that.
const FIRST: usize = 512;
/// Descriptors of an execution at once.
const MOST: usize = 256;

/// Whose a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The system's: it is a real descriptor, or none.
    System,
    /// Ours, and not open.
    Nobody,
    Kernel(FileId),
}

pub struct Numbers {
    owners: Box<[Owner]>,
    closing_on_exec: Box<[bool]>,
    /// One for each number; see `Kernel::mark`.
    marks: Box<[u64]>,
    /// Those of the system that were made ours in this execution, by `dup2`.
    lent: Vec<c_int>,
    reserved: bool,
}

impl Numbers {
    pub fn new() -> Self {
        let owners = vec![Owner::System; HIGHEST].into();
        let closing_on_exec = vec![false; HIGHEST].into();
        Self { owners, closing_on_exec, marks: vec![0; HIGHEST].into(), lent: Vec::new(), reserved: false }
    }

    #[inline]
    pub fn owner(&self, number: c_int) -> Owner {
        usize::try_from(number).ok().and_then(|number| self.owners.get(number)).copied().unwrap_or(Owner::System)
    }

    pub fn mark(&self, number: c_int) -> *const u64 {
        &raw const self.marks[number as usize]
    }

    pub fn closes_on_exec(&self, number: c_int) -> bool {
        self.closing_on_exec[number as usize]
    }

    pub fn set_closes_on_exec(&mut self, number: c_int, closes: bool) {
        self.closing_on_exec[number as usize] = closes;
    }

    /// Takes the numbers from the system, once.
    fn reserve(&mut self) {
        if std::mem::replace(&mut self.reserved, true) {
            return;
        }
        let null = null();
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: fills the place that it is given.
        unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
        let first = FIRST.min(usize::try_from(limit.rlim_cur / 2).unwrap_or(FIRST));
        for _ in 0..MOST {
            // SAFETY: copies a descriptor that is open.
            let copy = unsafe { real!(fcntl: fn(c_int, c_int, usize) -> c_int)(null, libc::F_DUPFD_CLOEXEC, first) };
            match usize::try_from(copy).ok().and_then(|number| self.owners.get_mut(number)) {
                Some(owner) => *owner = Owner::Nobody,
                None => break,
            }
        }
        close(null);
    }

    /// The lowest free number from `least` on.
    pub fn open(&mut self, file: FileId, least: c_int) -> Result<c_int, Errno> {
        self.reserve();
        let least = usize::try_from(least).map_err(|_| libc::EINVAL)?;
        let owners = self.owners.iter_mut().enumerate().skip(least);
        let (number, owner) = owners.into_iter().find(|(_, owner)| **owner == Owner::Nobody).ok_or(libc::EMFILE)?;
        *owner = Owner::Kernel(file);
        Ok(number as c_int)
    }

    /// The number is the file's from here on, and the system's no more; the file that it was of.
    pub fn put(&mut self, file: FileId, number: c_int) -> Option<FileId> {
        match std::mem::replace(&mut self.owners[number as usize], Owner::Kernel(file)) {
            Owner::System => {
                let null = null();
                // SAFETY: copies a descriptor that is open; what had the number before is the target's and is closed.
                unsafe { real!(dup3: fn(c_int, c_int, c_int) -> c_int)(null, number, libc::O_CLOEXEC) };
                close(null);
                self.lent.push(number);
                None
            }
            Owner::Nobody => None,
            Owner::Kernel(before) => Some(before),
        }
    }

    /// The file that the descriptor was of.
    pub fn close(&mut self, number: c_int) -> Result<FileId, Errno> {
        let Owner::Kernel(file) = self.owner(number) else { return Err(libc::EBADF) };
        self.give_back(number);
        Ok(file)
    }

    fn give_back(&mut self, number: c_int) {
        self.owners[number as usize] = match self.lent.iter().position(|lent| *lent == number) {
            Some(index) => {
                self.lent.swap_remove(index);
                close(number);
                Owner::System
            }
            None => Owner::Nobody,
        };
    }

    pub fn close_all(&mut self) {
        for number in 0..HIGHEST as c_int {
            if matches!(self.owners[number as usize], Owner::Kernel(_)) {
                self.give_back(number);
            }
        }
    }

    pub fn first_of(&self, file: FileId) -> Option<c_int> {
        self.owners.iter().position(|owner| *owner == Owner::Kernel(file)).map(|number| number as c_int)
    }
}

fn null() -> c_int {
    // SAFETY: a C string; the variable argument is not used.
    unsafe {
        real!(open: fn(*const libc::c_char, c_int) -> c_int)(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC)
    }
}

fn close(number: c_int) {
    // SAFETY: the numbers are ours.
    unsafe { real!(close: fn(c_int) -> c_int)(number) };
}
