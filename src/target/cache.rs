//! What was built, kept by content, so that it is built once.
//!
//! An *entry* belongs to a command and lists what it read with a digest of each file, and what it made. It holds for as
//! long as those files are what they were. *Outputs* are named by their digest. Both come into being by a rename, so
//! that neither a kill nor another process shows half of one, and an output is compared with its name before it is used.
//!
//! A header that comes to lie in an include directory before the one that was read is not noticed; ccache's direct mode
//! has the same gap.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::digests::{Digest, Digests, digest_of};
use crate::scratch::Scratch;

/// Names the directory of the cache.
pub const DIRECTORY_VARIABLE: &str = "THREADBARE_CACHE";
/// Bytes that the cache may take before what was used longest ago is removed, and what is left then.
pub const LIMIT: u64 = 2 << 30;
const AFTER_CLEANING: u64 = LIMIT / 4 * 3;
/// Results of one command that an entry keeps: of a header that is changed to and fro.
const MOST_RESULTS: usize = 8;
/// What was used so lately is not removed, since a build may need it: seconds.
const YOUNG: u64 = 600;

/// A directory with what was built.
pub struct Cache {
    root: PathBuf,
    has_grown: AtomicBool,
}

/// Something in the cache, locked so that no other process removes it.
#[derive(Debug)]
pub struct Held {
    pub path: PathBuf,
    _lock: File,
}

/// What commands with one key made.
#[derive(Default, Serialize, Deserialize)]
struct Entry {
    /// The latest one first.
    results: Vec<Made>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    read: Vec<(PathBuf, Digest)>,
    /// The file name below `outputs`, which begins with a digest of the content.
    output: String,
}

/// How much there is of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub files: u64,
    pub bytes: u64,
}

impl Cache {
    /// The directory that the environment names: `THREADBARE_CACHE`, else below `XDG_CACHE_HOME`, else below `HOME`.
    ///
    /// # Errors
    /// It names none, or the directory cannot be made or written.
    pub fn open() -> Result<Self> {
        let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = variable(DIRECTORY_VARIABLE)
            .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("threadbare")))
            .or_else(|| Some(variable("HOME")?.join(".cache/threadbare")))
            .with_context(|| format!("no place for what is built: set HOME, or name one in {DIRECTORY_VARIABLE}"))?;
        Self::at(root)
    }

    /// That directory.
    ///
    /// # Errors
    /// It cannot be made or written.
    pub fn at(root: PathBuf) -> Result<Self> {
        let make = || -> io::Result<PathBuf> {
            fs::create_dir_all(&root)?;
            let root = fs::canonicalize(&root)?;
            for folder in ["entries", "outputs", "sources", "building", "locks"] {
                fs::create_dir_all(root.join(folder))?;
            }
            // Backup programs leave out what has this: https://bford.info/cachedir/
            let tag = root.join("CACHEDIR.TAG");
            if !tag.exists() {
                fs::write(tag, "Signature: 8a477f597d28d172789f06886806bc55\n# What threadbare has built.\n")?;
            }
            Ok(root)
        };
        let made = make().with_context(|| {
            format!(
                "cannot use {} for what is built; free some space there, or name another directory in {DIRECTORY_VARIABLE}",
                root.display()
            )
        })?;
        Ok(Self { root: made, has_grown: AtomicBool::new(false) })
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where unpacked sources are.
    #[must_use]
    pub fn sources(&self) -> PathBuf {
        self.root.join("sources")
    }

    /// A directory for what is being built, which becomes part of the cache by a rename.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn building(&self) -> Result<Scratch> {
        Scratch::within(&self.root.join("building")).with_context(|| self.cannot_write())
    }

    fn cannot_write(&self) -> String {
        format!(
            "cannot write to {}; free some space there, or name another directory in {DIRECTORY_VARIABLE}",
            self.root.display()
        )
    }

    /// The lock of the process that runs the command with this key, if nobody else holds it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn lock(&self, key: &str) -> Result<Option<File>> {
        let file = File::create(self.root.join("locks").join(key)).with_context(|| self.cannot_write())?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error).with_context(|| self.cannot_write()),
        }
    }

    /// What the command with this key made of files that are as they were.
    #[must_use]
    pub fn find(&self, key: &str, digests: &mut Digests) -> Option<Held> {
        let entry = self.entry(key);
        let made = entry.results.iter().find(|made| made.holds(digests))?;
        let path = self.root.join("outputs").join(&made.output);
        let held = hold(path).ok()?;
        if !made.output.starts_with(&*digests.of(&held.path)?) {
            // Something else wrote to it; it is made anew.
            let _ = fs::remove_file(&held.path);
            return None;
        }
        touch(&held.path);
        touch(&self.entry_path(key));
        Some(held)
    }

    /// What that was made of, as the compiler or the linker told.
    #[must_use]
    pub fn inputs(&self, key: &str, output: &Path) -> Vec<PathBuf> {
        let mut results = self.entry(key).results.into_iter();
        let made = results.find(|made| output.file_name().is_some_and(|name| name == &*made.output));
        made.map(|made| made.read.into_iter().map(|(path, _)| path).collect()).unwrap_or_default()
    }

    /// Keeps what the command with this key made at `file`, on the file system of [`Cache::building`], of these files;
    /// gives where it is from now on. Its name ends with `name`.
    ///
    /// # Errors
    /// The cache cannot be written.
    pub fn keep(
        &self,
        key: &str,
        read: Vec<(PathBuf, Digest)>,
        file: &Path,
        name: &str,
        digests: &mut Digests,
    ) -> Result<Held> {
        let digest = digest_of(file).with_context(|| format!("cannot read {}", file.display()))?;
        let output = format!("{digest}-{name}");
        let place = self.root.join("outputs").join(&output);
        fs::rename(file, &place).with_context(|| self.cannot_write())?;
        let held = hold(place).with_context(|| self.cannot_write())?;
        digests.insert(held.path.clone(), digest);
        let mut entry = self.entry(key);
        let made = Made { read, output };
        entry.results.retain(|other| *other != made);
        entry.results.insert(0, made);
        entry.results.truncate(MOST_RESULTS);
        let text = serde_json::to_vec(&entry).context("cannot write JSON")?;
        let unnamed = file.with_extension("entry");
        fs::write(&unnamed, text)
            .and_then(|()| fs::rename(&unnamed, self.entry_path(key)))
            .with_context(|| self.cannot_write())?;
        self.has_grown.store(true, Ordering::Relaxed);
        Ok(held)
    }

    /// The directory at `place`, below the cache; if it is not there, it is filled first.
    ///
    /// # Errors
    /// The cache cannot be written.
    pub fn directory(&self, place: PathBuf, fill: impl FnOnce(&Path) -> Result<()>) -> Result<Held> {
        if !place.is_dir() {
            let building = self.building()?;
            let unnamed = building.path().join("directory");
            fill(&unnamed).with_context(|| self.cannot_write())?;
            // Another process may have been quicker.
            if let Err(error) = fs::rename(&unnamed, &place)
                && !place.is_dir()
            {
                return Err(error).with_context(|| self.cannot_write());
            }
        }
        let held = hold(place).with_context(|| self.cannot_write())?;
        touch(&held.path);
        Ok(held)
    }

    fn entry_path(&self, key: &str) -> PathBuf {
        self.root.join("entries").join(key)
    }

    /// Nothing, if there is none that can be read.
    fn entry(&self, key: &str) -> Entry {
        let text = fs::read(self.entry_path(key)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// All that is kept.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn usage(&self) -> Result<Usage> {
        let all = self.contents()?;
        Ok(Usage { files: all.len() as u64, bytes: all.iter().map(|kept| kept.bytes).sum() })
    }

    /// Removes everything that no process uses; what that was.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn clear(&self) -> Result<Usage> {
        self.remove(self.contents()?, 0, 0)
    }

    /// Removes what was used longest ago, if something was added and there is too much.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn clean_up(&self) -> Result<()> {
        let all = if self.has_grown.swap(false, Ordering::Relaxed) { self.contents()? } else { return Ok(()) };
        if all.iter().map(|kept| kept.bytes).sum::<u64>() > LIMIT {
            self.remove(all, AFTER_CLEANING, YOUNG)?;
        }
        Ok(())
    }

    fn remove(&self, mut all: Vec<Kept>, most: u64, young: u64) -> Result<Usage> {
        let mut left: u64 = all.iter().map(|kept| kept.bytes).sum();
        let mut removed = Usage::default();
        all.sort_by_key(|kept| kept.used);
        for kept in all {
            let is_young = kept.used.elapsed().map_or(true, |age| age.as_secs() < young);
            if left <= most {
                break;
            }
            if !is_young && remove_unused(&kept.path) {
                left -= kept.bytes;
                removed.files += 1;
                removed.bytes += kept.bytes;
            }
        }
        Ok(removed)
    }

    /// What can be removed by itself.
    fn contents(&self) -> Result<Vec<Kept>> {
        let mut all = Vec::new();
        for folder in ["entries", "outputs", "sources", "locks"] {
            let place = self.root.join(folder);
            let entries = fs::read_dir(&place).with_context(|| format!("cannot read {}", place.display()))?;
            for entry in entries.flatten() {
                let Ok(metadata) = entry.metadata() else { continue };
                let bytes = if metadata.is_dir() { size_of_tree(&entry.path()) } else { metadata.len() };
                let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                all.push(Kept { path: entry.path(), bytes, used });
            }
        }
        Ok(all)
    }
}

struct Kept {
    path: PathBuf,
    bytes: u64,
    /// The last time.
    used: SystemTime,
}

fn size_of_tree(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of_tree(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

/// Whether it was removed: nobody has it locked.
fn remove_unused(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    file.try_lock().is_ok() && if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.is_ok()
}

fn hold(path: PathBuf) -> io::Result<Held> {
    let lock = File::open(&path)?;
    lock.lock_shared()?;
    Ok(Held { path, _lock: lock })
}

/// Marks something as used now. Where that fails, it is only removed sooner.
fn touch(path: &Path) {
    let _ = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
}

impl Made {
    /// Whether the command would make the same now.
    fn holds(&self, digests: &mut Digests) -> bool {
        self.read.iter().all(|(path, digest)| digests.of(path).as_ref() == Some(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        directory: tempfile::TempDir,
        cache: Cache,
    }

    impl Place {
        fn new() -> Self {
            let directory = tempfile::tempdir().expect("a directory");
            let cache = Cache::at(directory.path().join("cache")).expect("a cache");
            Self { directory, cache }
        }

        fn write(&self, name: &str, content: &str) -> PathBuf {
            let path = self.directory.path().join(name);
            fs::write(&path, content).expect("written");
            path
        }

        /// Keeps an output with that content, made of the file.
        fn keep(&self, key: &str, of: &Path, content: &str) -> PathBuf {
            let building = self.cache.building().expect("a directory");
            let made = building.path().join("made.o");
            fs::write(&made, content).expect("written");
            let mut digests = Digests::default();
            let read = vec![(of.to_owned(), digests.of(of).expect("readable"))];
            self.cache.keep(key, read, &made, "made.o", &mut digests).expect("kept").path
        }

        fn find(&self, key: &str) -> Option<PathBuf> {
            self.cache.find(key, &mut Digests::default()).map(|held| held.path)
        }
    }

    #[test]
    fn what_was_made_is_found_for_as_long_as_what_was_read_is_the_same() {
        let place = Place::new();
        let header = place.write("a.h", "one");
        let first = place.keep("key", &header, "made of one");
        assert_eq!(place.find("key"), Some(first.clone()));
        assert_eq!(place.find("another key"), None);
        place.write("a.h", "two");
        assert_eq!(place.find("key"), None);
        let second = place.keep("key", &header, "made of two");
        assert_eq!(place.find("key"), Some(second));
        place.write("a.h", "one");
        assert_eq!(place.find("key"), Some(first));
        fs::remove_file(header).expect("removed");
        assert_eq!(place.find("key"), None);
    }

    #[test]
    fn damaged_files_are_never_used() {
        let place = Place::new();
        let header = place.write("a.h", "one");
        let made = place.keep("key", &header, "whole");
        fs::write(&made, "who").expect("written");
        assert_eq!(place.find("key"), None);
        let made = place.keep("key", &header, "whole");
        fs::write(place.cache.entry_path("key"), "{\"results\":[").expect("written");
        assert_eq!(place.find("key"), None);
        assert_eq!(place.keep("key", &header, "whole"), made);
    }

    #[test]
    fn what_is_used_longest_ago_goes_first_and_what_is_in_use_stays() {
        let place = Place::new();
        let header = place.write("a.h", "one");
        let old = place.keep("old", &header, &"a".repeat(1000));
        let new = place.keep("new", &header, &"b".repeat(1000));
        File::open(&old).and_then(|file| file.set_modified(SystemTime::UNIX_EPOCH)).expect("older");
        place.cache.remove(place.cache.contents().expect("readable"), 1500, YOUNG).expect("removed");
        assert!(!old.exists() && new.exists());
        let lock = File::open(&new).expect("there");
        lock.lock_shared().expect("locked");
        place.cache.clear().expect("cleared");
        assert!(new.exists());
        drop(lock);
        place.cache.clear().expect("cleared");
        assert_eq!(place.cache.usage().expect("readable"), Usage::default());
    }

    #[test]
    fn a_lock_is_one_processs_until_it_is_dropped() {
        let place = Place::new();
        let lock = place.cache.lock("key").expect("a lock");
        assert!(lock.is_some() && place.cache.lock("key").expect("no error").is_none());
        drop(lock);
        assert!(place.cache.lock("key").expect("no error").is_some());
    }
}
