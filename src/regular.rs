//! The one way to read a file that somebody named: a pipe, a device or a file without end is an error, and never waited for.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What is said of a pipe, a device or a directory.
pub const IRREGULAR: &str = "not a regular file";

/// Why a file was not read.
#[derive(Debug)]
pub enum Unread {
    Irregular,
    TooLarge,
    Failed(std::io::Error),
}

impl std::fmt::Display for Unread {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Irregular => formatter.write_str(IRREGULAR),
            Self::TooLarge => formatter.write_str("too large"),
            Self::Failed(error) => write!(formatter, "cannot be read: {error}"),
        }
    }
}

impl std::error::Error for Unread {}

impl From<std::io::Error> for Unread {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The bytes of a regular file, of which there are at most `most`.
///
/// # Errors
/// It is no regular file, there are more, or the system does not give them.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
    let bytes = beginning(path, most + 1)?;
    if bytes.len() as u64 > most { Err(Unread::TooLarge) } else { Ok(bytes) }
}

/// The first bytes of a regular file, at most so many.
///
/// # Errors
/// It is no regular file, or the system does not give them.
pub fn beginning(path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
    // Sockets cannot be opened, and opening a device may have effects.
    if !fs::metadata(path)?.is_file() {
        return Err(Unread::Irregular);
    }
    // Should it have become a pipe since, this neither waits for a writer nor reads it.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(Unread::Irregular);
    }
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_regular_file_is_refused_and_what_is_too_large_as_well() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        fs::write(&file, "12345").expect("written");
        assert_eq!(read(&file, 5).expect("it fits"), b"12345");
        assert_eq!(beginning(&file, 2).expect("readable"), b"12");
        assert!(matches!(read(&file, 4), Err(Unread::TooLarge)));
        for path in [Path::new("/dev/zero"), directory.path()] {
            assert!(matches!(read(path, 5), Err(Unread::Irregular)), "{}", path.display());
        }
        assert!(matches!(read(&directory.path().join("none"), 5), Err(Unread::Failed(_))));
    }
}
