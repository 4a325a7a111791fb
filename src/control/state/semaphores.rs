//! POSIX semaphores: what is in a `sem_t`, and the named ones of an execution, which no other process sees.

use std::cell::Cell;
use std::ffi::c_int;

pub const LARGEST_VALUE: u32 = i32::MAX as u32;

/// glibc's `sem_t`: `sem_init` writes the value here, in the byte order of all targets we support.
#[repr(C, align(8))]
pub struct Semaphore {
    pub value: Cell<u32>,
    _other: [Cell<u32>; 6],
    /// `DESTROYED`, or anything else: glibc does not use it.
    pub state: Cell<u32>,
}

impl Semaphore {
    fn new(value: u32) -> Self {
        Self { value: Cell::new(value), _other: Default::default(), state: Cell::new(0) }
    }

    pub fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    pub fn is_destroyed(&self) -> bool {
        self.state.get() == DESTROYED
    }
}

pub const DESTROYED: u32 = 0xde57_0bad;

struct Named {
    name: Vec<u8>,
    // Boxed, since the target holds its address.
    semaphore: Box<Semaphore>,
    /// `sem_open` without `sem_close`.
    opens: u32,
    /// `sem_open` finds it.
    linked: bool,
}

/// The named semaphores of an execution.
#[derive(Default)]
pub struct NamedSemaphores(Vec<Named>);

impl NamedSemaphores {
    pub fn begin(&mut self) {
        self.0.clear();
    }

    fn find(&mut self, name: &[u8]) -> Option<&mut Named> {
        self.0.iter_mut().find(|named| named.linked && named.name == name)
    }

    pub fn open(&mut self, name: &[u8], flags: c_int, value: u32) -> Result<*mut Semaphore, c_int> {
        let exists = self.find(name).is_some();
        if exists && flags & (libc::O_CREAT | libc::O_EXCL) == libc::O_CREAT | libc::O_EXCL {
            return Err(libc::EEXIST);
        }
        if !exists {
            if flags & libc::O_CREAT == 0 {
                return Err(libc::ENOENT);
            }
            if value > LARGEST_VALUE {
                return Err(libc::EINVAL);
            }
            let semaphore = Box::new(Semaphore::new(value));
            self.0.push(Named { name: name.to_vec(), semaphore, opens: 0, linked: true });
        }
        let named = self.find(name).expect("it was there or is now");
        named.opens += 1;
        Ok(&raw mut *named.semaphore)
    }

    /// The memory stays until the execution ends: what still uses a closed semaphore harms nobody else.
    pub fn close(&mut self, semaphore: *const Semaphore) -> Result<(), c_int> {
        let mut open = self.0.iter_mut().filter(|named| named.opens > 0);
        let named = open.find(|named| std::ptr::eq(&raw const *named.semaphore, semaphore)).ok_or(libc::EINVAL)?;
        named.opens -= 1;
        Ok(())
    }

    pub fn unlink(&mut self, name: &[u8]) -> Result<(), c_int> {
        self.find(name).ok_or(libc::ENOENT)?.linked = false;
        Ok(())
    }
}
