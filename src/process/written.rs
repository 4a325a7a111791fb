//! What is written to a standard stream, execution by execution. As long as nothing is, no execution costs a system call.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

use memmap2::MmapRaw;

use super::capture::{checked, flush, in_memory};

/// Bytes of the file that are mapped, all 0 where nothing was written yet.
const WINDOW: usize = 1 << 16;

/// Bytes that are read: the last ones.
const MOST: u64 = 1 << 18;

unsafe extern "C" {
    /// glibc's `stdio_ext.h`: bytes in the stream's buffer.
    fn __fpending(stream: *mut libc::FILE) -> usize;
    /// glibc's `stdio_ext.h`: throws them away.
    fn __fpurge(stream: *mut libc::FILE);
    static mut stdout: *mut libc::FILE;
}

/// A descriptor that leads to a file until this is dropped. Its offset is where the next byte goes.
struct Written {
    file: File,
    number: i32,
    before: OwnedFd,
    window: MmapRaw,
    /// Where what is written from now on begins.
    since: u64,
}

impl Written {
    /// Keeps what goes to standard output in memory.
    ///
    /// # Errors
    /// The system has no descriptor or memory left.
    fn output() -> io::Result<Self> {
        Self::divert(1, in_memory()?)
    }

    /// Keeps what goes to standard error in the file that it goes to already, which is this process's own.
    ///
    /// # Errors
    /// It is no file that can be written from its end on, or the system has no descriptor or space left.
    fn errors() -> io::Result<Self> {
        // Anew, since the other one appends, and the end of this one is zeros.
        Self::divert(2, OpenOptions::new().read(true).write(true).open("/proc/self/fd/2")?)
    }

    fn divert(number: i32, mut file: File) -> io::Result<Self> {
        let since = file.seek(SeekFrom::End(0))?;
        allocate(&file, since)?;
        // SAFETY: the copy is new and nobody else's.
        let before = unsafe { OwnedFd::from_raw_fd(checked(libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3))?) };
        // SAFETY: both are open.
        checked(unsafe { libc::dup2(file.as_raw_fd(), number) })?;
        let window = memmap2::MmapOptions::new().len(WINDOW).map_raw(&file)?;
        Ok(Self { file, number, before, window, since })
    }

    /// What is written from now on is the next execution's. What an earlier one left in the buffer of standard output is
    /// thrown away.
    fn begin(&mut self) {
        if self.number == 1 {
            // SAFETY: the C library's stream, and no thread of a program runs that could hold its lock.
            unsafe {
                if __fpending(stdout) > 0 {
                    __fpurge(stdout);
                }
            }
        }
        if !self.is_untouched() {
            self.skip();
        }
    }

    /// What was written since then; the last part, if it is much. Nothing if it cannot be read.
    fn since(&mut self) -> String {
        flush();
        if self.is_untouched() {
            return String::new();
        }
        let end = self.file.stream_position().unwrap_or(self.since);
        let begin = self.since.max(end.saturating_sub(MOST));
        let mut bytes = vec![0; end.saturating_sub(begin) as usize];
        match self.file.read_exact_at(&mut bytes, begin) {
            Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(_) => String::new(),
        }
    }

    /// Nothing was written since the beginning, as far as the window shows.
    fn is_untouched(&self) -> bool {
        let since = self.since as usize;
        // SAFETY: a byte of the mapping, whose file is never shorter.
        since < WINDOW && unsafe { self.window.as_ptr().add(since).read_volatile() } == 0
    }

    #[cold]
    fn skip(&mut self) {
        let end = self.file.stream_position().unwrap_or_default();
        if (end as usize) < WINDOW {
            self.since = end;
            return;
        }
        // From the start again. What was there is of executions that nobody asked about.
        let emptied = self.file.set_len(0).and_then(|()| allocate(&self.file, 0)).and_then(|()| self.file.rewind());
        emptied.expect("a file of this process can be emptied");
        self.since = 0;
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        flush();
        // What reads the file next wants its end, not the end of the window.
        if let Ok(end) = self.file.stream_position() {
            let _ = self.file.set_len(end);
        }
        // SAFETY: both are open.
        unsafe { libc::dup2(self.before.as_raw_fd(), self.number) };
    }
}

/// Has the file hold the window, with zeros from here on, for which there is space.
fn allocate(file: &File, from: u64) -> io::Result<()> {
    let rest = (WINDOW as u64).saturating_sub(from).max(1);
    // SAFETY: an open file.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), from as libc::off_t, rest as libc::off_t) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Both standard streams of a program under check.
pub struct Streams {
    output: Written,
    /// Left alone where somebody watches.
    errors: Option<Written>,
}

/// What one execution wrote.
#[derive(Default)]
pub struct Printed {
    pub output: String,
    pub errors: String,
}

impl Streams {
    /// Keeps what goes to standard output in memory, and, if that is wanted, notes what goes to standard error.
    ///
    /// # Errors
    /// Standard error is no file of this process alone, or the system has no descriptor, memory or space left.
    pub fn keep(with_errors: bool) -> io::Result<Self> {
        Ok(Self { output: Written::output()?, errors: with_errors.then(Written::errors).transpose()? })
    }

    pub fn begin(&mut self) {
        self.output.begin();
        if let Some(errors) = &mut self.errors {
            errors.begin();
        }
    }

    pub fn since(&mut self) -> Printed {
        let errors = self.errors.as_mut().map(Written::since).unwrap_or_default();
        Printed { output: self.output.since(), errors }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Of a descriptor that nobody else writes to.
    fn written() -> (Written, File) {
        let file = in_memory().expect("memory");
        // SAFETY: the copy is new and nobody else's.
        let number = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 3) };
        let written = Written::divert(number, in_memory().expect("memory")).expect("it is diverted");
        // SAFETY: it is open, and nobody else's.
        (written, unsafe { File::from_raw_fd(number) })
    }

    #[test]
    fn an_execution_has_what_was_written_since_it_began() {
        let (mut written, mut stream) = written();
        written.begin();
        assert_eq!(written.since(), "");
        for text in ["a\n", "", "later\n"] {
            written.begin();
            stream.write_all(text.as_bytes()).expect("it is written");
            assert_eq!(written.since(), text);
        }
    }

    #[test]
    fn the_file_begins_anew_when_the_window_is_full_and_stays_small() {
        let (mut written, mut stream) = written();
        for number in 0..1000 {
            written.begin();
            stream.write_all(&[b'x'; 1000]).expect("it is written");
            let last = format!("\n{number}");
            stream.write_all(last.as_bytes()).expect("it is written");
            assert!(written.since().ends_with(&last));
            assert_eq!(written.since().len(), 1000 + last.len());
        }
        assert!(written.file.metadata().expect("it is open").len() < 2 * WINDOW as u64);
    }

    #[test]
    fn of_more_than_is_read_the_end_is_known() {
        let (mut written, mut stream) = written();
        written.begin();
        stream.write_all(&vec![b'x'; 3 * MOST as usize]).expect("it is written");
        stream.write_all(b"end").expect("it is written");
        let since = written.since();
        assert!(since.ends_with("xend") && since.len() as u64 == MOST, "{}", since.len());
        written.begin();
        stream.write_all(b"next").expect("it is written");
        assert_eq!(written.since(), "next");
    }
}
