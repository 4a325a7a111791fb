//! Directories for files that nobody needs afterwards: removed at the end, and after a `kill -9` by whoever comes next.
//!
//! A directory is removed for another process only where it is proven to be one of ours whose owner is gone: it has a
//! name of ours, belongs to this user, and holds our marker, which its owner keeps locked for as long as it lives.

use std::fs::{self, DirEntry, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::process;

/// Names begin so and end with as many random letters and digits.
const PREFIX: &str = "threadbare-scratch-";
const RANDOM: usize = 12;
/// The file that marks a directory as ours, and all that is in it. It is locked before it gets this name.
const MARKER: &str = "owned-by-threadbare";
const UNNAMED_MARKER: &str = "not-yet-owned-by-threadbare";
const CONTENT: &[u8] = b"A scratch directory of threadbare, which removes it once nobody holds a lock on this file.\n";
/// Tries to make a directory; another process may take one that is still empty for abandoned.
const ATTEMPTS: u32 = 100;
/// Bytes that a worker takes in memory: more than thousands of inputs with those that it keeps.
const ROOM: u64 = 128 << 20;

/// A temporary directory that is removed on drop.
pub struct Scratch {
    directory: TempDir,
    /// Keeps the lock.
    _marker: File,
}

impl Scratch {
    /// Makes the directory, and removes those of processes that were killed.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn new() -> Result<Self> {
        Self::within(&std::env::temp_dir()).context("cannot make a temporary directory; free some space, or set TMPDIR")
    }

    /// The same in memory for so many workers, if the system has a place for that with room enough: thousands of
    /// executions a second make files. (In a container it mostly has 64 MiB.)
    #[must_use]
    pub fn in_memory(workers: usize) -> Option<Self> {
        let place = Path::new("/dev/shm");
        let has_room = process::free_space(place)? >= workers as u64 * ROOM;
        has_room.then(|| Self::within(place).ok()).flatten()
    }

    /// The same in a directory that is there.
    ///
    /// # Errors
    /// As [`Scratch::new`].
    pub fn within(parent: &Path) -> Result<Self> {
        for entry in fs::read_dir(parent)?.flatten() {
            remove_if_abandoned(&entry);
        }
        for _ in 0..ATTEMPTS {
            let directory = tempfile::Builder::new().prefix(PREFIX).rand_bytes(RANDOM).tempdir_in(parent)?;
            match mark(directory.path()) {
                Ok(marker) => return Ok(Self { directory, _marker: marker }),
                // While it was empty, somebody else removed it.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::Error::from(ErrorKind::NotFound).into())
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Leaves the marker, locked.
fn mark(directory: &Path) -> io::Result<File> {
    let unnamed = directory.join(UNNAMED_MARKER);
    let mut marker = File::create_new(&unnamed)?;
    marker.lock()?;
    marker.write_all(CONTENT)?;
    fs::rename(&unnamed, directory.join(MARKER))?;
    Ok(marker)
}

/// Fails quietly: somebody else may be removing it too.
fn remove_if_abandoned(entry: &DirEntry) {
    let name = entry.file_name();
    let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { return };
    let is_ours = rest.len() == RANDOM
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        // Not followed, so a link is no directory.
        && entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == process::user());
    if !is_ours {
        return;
    }
    let directory = entry.path();
    if let Ok(_lock) = marker_of_the_dead(&directory.join(MARKER), |content| content == CONTENT) {
        let _ = fs::remove_dir_all(directory);
        return;
    }
    // Whoever was killed before it left its marker left nothing else: this removes what is empty alone.
    let unnamed = directory.join(UNNAMED_MARKER);
    if let Ok(_lock) = marker_of_the_dead(&unnamed, |content| CONTENT.starts_with(content)) {
        let _ = fs::remove_file(unnamed);
    }
    let _ = fs::remove_dir(directory);
}

/// The marker, if it is one and nobody else holds its lock.
fn marker_of_the_dead(path: &Path, is_ours: impl FnOnce(&[u8]) -> bool) -> io::Result<File> {
    // A pipe would be waited for, and a link could lead anywhere.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let marker = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = marker.metadata()?;
    let mut content = Vec::new();
    if metadata.is_file() {
        (&marker).take(CONTENT.len() as u64 + 1).read_to_end(&mut content)?;
    }
    if !metadata.is_file() || metadata.uid() != process::user() || !is_ours(&content) {
        return Err(ErrorKind::InvalidData.into());
    }
    marker.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => ErrorKind::WouldBlock.into(),
        TryLockError::Error(error) => error,
    })?;
    Ok(marker)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    fn parent() -> TempDir {
        tempfile::tempdir().expect("a directory")
    }

    /// What a process leaves that was killed: a lock that nobody holds.
    fn abandoned(parent: &Path, name: &str) -> std::path::PathBuf {
        let directory = parent.join(name);
        fs::create_dir(&directory).expect("a directory");
        fs::write(directory.join(MARKER), CONTENT).expect("written");
        fs::create_dir(directory.join("1")).expect("a directory");
        directory
    }

    #[test]
    fn what_a_killed_process_left_is_removed_at_once_and_what_another_one_uses_is_not() {
        let parent = parent();
        let alive = Scratch::within(parent.path()).expect("a directory");
        let dead = abandoned(parent.path(), "threadbare-scratch-abcdefghijkl");
        let unmarked = parent.path().join("threadbare-scratch-ABCDEFGHIJKL");
        fs::create_dir(&unmarked).expect("a directory");
        let half_marked = parent.path().join("threadbare-scratch-123456789012");
        fs::create_dir(&half_marked).expect("a directory");
        fs::write(half_marked.join(UNNAMED_MARKER), &CONTENT[..9]).expect("written");
        let next = Scratch::within(parent.path()).expect("a directory");
        assert!(!dead.exists() && !unmarked.exists() && !half_marked.exists());
        assert!(alive.path().exists() && next.path().exists());
    }

    #[test]
    fn what_is_not_proven_to_be_ours_stays() {
        let parent = parent();
        let at = |name: &str| parent.path().join(name);
        let mut foreign = Vec::new();
        // Names that others choose.
        for name in ["threadbare-notes", "threadbare-scratch-notes", "threadbare-scratch-abc-efghijkl"] {
            foreign.push(abandoned(parent.path(), name));
        }
        // Without our marker, or with something else in its place.
        for (name, marker) in [("aaaaaaaaaaaa", "lock"), ("bbbbbbbbbbbb", MARKER)] {
            let directory = at(&format!("{PREFIX}{name}"));
            fs::create_dir(&directory).expect("a directory");
            fs::write(directory.join(marker), "mine").expect("written");
            foreign.push(directory);
        }
        let behind_link = abandoned(parent.path(), "precious");
        symlink(&behind_link, at("threadbare-scratch-cccccccccccc")).expect("a link");
        foreign.push(at("threadbare-scratch-cccccccccccc"));
        let linked_marker = at("threadbare-scratch-dddddddddddd");
        fs::create_dir(&linked_marker).expect("a directory");
        symlink(behind_link.join(MARKER), linked_marker.join(MARKER)).expect("a link");
        foreign.push(linked_marker);
        let _ = Scratch::within(parent.path()).expect("a directory");
        for path in foreign.iter().chain([&behind_link]) {
            assert!(path.exists(), "{}", path.display());
        }
    }

    #[test]
    fn a_pipe_in_place_of_a_marker_or_of_a_directory_is_not_waited_for() {
        let parent = parent();
        let directory = parent.path().join("threadbare-scratch-eeeeeeeeeeee");
        fs::create_dir(&directory).expect("a directory");
        for pipe in [directory.join(MARKER), parent.path().join("threadbare-scratch-ffffffffffff")] {
            assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
        }
        let _ = Scratch::within(parent.path()).expect("a directory");
        assert!(directory.exists());
    }

    #[test]
    fn the_directory_goes_with_its_owner() {
        let parent = parent();
        let path = Scratch::within(parent.path()).expect("a directory").path().to_owned();
        assert!(!path.exists());
    }
}
