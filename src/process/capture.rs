//! What the program under check prints, kept in memory in place of standard output.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Bytes that are read: the last ones.
const MOST: u64 = 1 << 18;

/// Descriptors that lead to a file in memory until this is dropped.
pub struct Capture {
    file: File,
    /// Each with what it led to before.
    diverted: Vec<(i32, OwnedFd)>,
}

impl Capture {
    /// Keeps what is written to standard output, and to standard error as well if that is wanted.
    ///
    /// # Errors
    /// The system has no descriptor or memory left.
    pub fn begin(with_errors: bool) -> io::Result<Self> {
        let file = in_memory()?;
        // SAFETY: a descriptor that is open. Whoever empties the file has the others go on at its start.
        checked(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, libc::O_APPEND) })?;
        let mut capture = Self { file, diverted: Vec::new() };
        for number in if with_errors { vec![1, 2] } else { vec![1] } {
            // SAFETY: the copy is new and nobody else's.
            let before = unsafe { OwnedFd::from_raw_fd(checked(libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3))?) };
            capture.diverted.push((number, before));
            // SAFETY: both are open.
            checked(unsafe { libc::dup2(capture.file.as_raw_fd(), number) })?;
        }
        Ok(capture)
    }

    /// What was printed since it was last asked; the last part, if it is much. Nothing if it cannot be read.
    pub fn take(&mut self) -> String {
        flush();
        let mut bytes = Vec::new();
        let end = self.file.seek(SeekFrom::End(0)).unwrap_or_default();
        let read =
            self.file.seek(SeekFrom::Start(end.saturating_sub(MOST))).and_then(|_| self.file.read_to_end(&mut bytes));
        if read.and_then(|_| self.file.set_len(0)).is_err() {
            bytes.clear();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        flush();
        for (number, before) in &self.diverted {
            // SAFETY: both are open.
            unsafe { libc::dup2(before.as_raw_fd(), *number) };
        }
    }
}

/// Hands over what the C library still holds.
pub(super) fn flush() {
    // SAFETY: null stands for all streams, and nobody holds a lock of one: no thread of a program runs.
    unsafe { libc::fflush(std::ptr::null_mut()) };
}

/// A file that is nowhere but in memory.
pub(super) fn in_memory() -> io::Result<File> {
    // SAFETY: the name is a C string, and the descriptor is new and nobody else's.
    Ok(unsafe { File::from_raw_fd(checked(libc::memfd_create(c"output".as_ptr(), libc::MFD_CLOEXEC))?) })
}

pub(super) fn checked(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
