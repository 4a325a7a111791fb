//! The directory for the files of workers, removed at the end, and after a `kill -9` by whoever comes next.
#![forbid(unsafe_code)]

use std::fs::{self, DirEntry, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::control::process;

const PREFIX: &str = "threadbare-";
/// Locked by the process that uses the directory, for as long as it lives.
const LOCK: &str = "lock";
/// A directory gets its lock at once; one that is older and not locked belongs to nobody.
const GRACE: Duration = Duration::from_secs(60);
/// Bytes that a worker takes in memory: more than thousands of inputs with those that it keeps.
const ROOM: u64 = 128 << 20;

/// A temporary directory that is removed on drop.
pub struct Scratch {
    directory: TempDir,
    /// Keeps the lock.
    _lock: File,
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

    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    fn within(parent: &Path) -> Result<Self> {
        for entry in fs::read_dir(parent)?.flatten().filter(is_abandoned) {
            // Somebody else may be removing it too.
            let _ = fs::remove_dir_all(entry.path());
        }
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let lock = File::create(directory.path().join(LOCK))?;
        lock.try_lock()?;
        Ok(Self { directory, _lock: lock })
    }
}

fn is_abandoned(entry: &DirEntry) -> bool {
    let age =
        entry.metadata().and_then(|metadata| metadata.modified()).map(|time| SystemTime::now().duration_since(time));
    entry.file_name().to_string_lossy().starts_with(PREFIX)
        && age.is_ok_and(|age| age.is_ok_and(|age| age > GRACE))
        && File::open(entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(directory: &Path) {
        let long_ago = SystemTime::now() - 2 * GRACE;
        File::open(directory).expect("a directory").set_modified(long_ago).expect("an older time");
    }

    #[test]
    fn only_directories_of_dead_processes_are_removed() {
        let parent = tempfile::tempdir().expect("a directory");
        let dead = parent.path().join("threadbare-dead");
        fs::create_dir(&dead).expect("a directory");
        File::create(dead.join(LOCK)).expect("a file");
        let foreign = parent.path().join("threadbare-notes");
        fs::create_dir(&foreign).expect("a directory");
        let alive = Scratch::within(parent.path()).expect("a directory");
        for directory in [&dead, &foreign, &alive.path().to_owned()] {
            age(directory);
        }
        let next = Scratch::within(parent.path()).expect("a directory");
        assert!(!dead.exists());
        assert!(foreign.exists() && alive.path().exists() && next.path().exists());
    }

    #[test]
    fn the_directory_goes_with_its_owner() {
        let parent = tempfile::tempdir().expect("a directory");
        let path = Scratch::within(parent.path()).expect("a directory").path().to_owned();
        assert!(!path.exists());
    }
}
