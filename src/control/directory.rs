//! The directory of a session, where the target's files are: empty at the start of each execution.

use std::ffi::{c_char, c_int};
use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use super::sanitizer::Unwatched;

/// The descriptor by which the target reaches the directory; above all that it has open itself.
const DESCRIPTOR: c_int = 600;
/// Its path by that descriptor. The same on every machine and in every process, as it becomes part of what
/// the target does: how long a path is decides how often a string allocates.
const PATH: &std::ffi::CStr = c"/proc/self/fd/600";

static OPEN: AtomicBool = AtomicBool::new(false);

/// The directory that the files of a target belong in, for C++ (cpp/harness/directory.hpp); null if the
/// session has none.
#[unsafe(no_mangle)]
extern "C" fn threadbare_directory() -> *const c_char {
    if OPEN.load(Ordering::Relaxed) { PATH.as_ptr() } else { std::ptr::null() }
}

/// Removed, with all that is in it, on drop.
pub(super) struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Makes the directory and lets the target reach it.
    pub fn create(path: PathBuf) -> Result<Self> {
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        let directory = Self { path };
        let file =
            fs::File::open(&directory.path).with_context(|| format!("cannot open {}", directory.path.display()))?;
        // SAFETY: the number is nobody else's.
        if unsafe { libc::dup3(file.as_raw_fd(), DESCRIPTOR, libc::O_CLOEXEC) } < 0 {
            return Err(std::io::Error::last_os_error())
                .with_context(|| format!("cannot use descriptor {DESCRIPTOR}; raise `ulimit -n`"));
        }
        OPEN.store(true, Ordering::Relaxed);
        Ok(directory)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what is in it.
    pub fn empty(&self) -> Result<()> {
        // After a crash nothing orders the target's use of descriptors with this one.
        let _unwatched = Unwatched::begin();
        let empty = || -> std::io::Result<()> {
            for entry in fs::read_dir(&self.path)? {
                let entry = entry?;
                let is_directory = entry.file_type()?.is_dir();
                if is_directory { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
            }
            Ok(())
        };
        empty().with_context(|| format!("cannot empty {}", self.path.display()))
    }

    /// The names of all files, sorted. Those of directories end with `/`.
    pub fn names(&self) -> Vec<String> {
        let _unwatched = Unwatched::begin();
        let mut found = Vec::new();
        collect(&self.path, "", &mut |name, _| found.push(name));
        found.sort();
        found
    }

    /// The names of all files with what is in them, sorted. The names of directories end with `/`.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let _unwatched = Unwatched::begin();
        let mut found = Vec::new();
        // What cannot be read, such as a link to nothing, counts as empty.
        collect(&self.path, "", &mut |name, path| {
            found.push((name, path.map(fs::read).and_then(Result::ok).unwrap_or_default()))
        });
        found.sort();
        found
    }
}

/// Tells the name of everything below a directory, with the path of what is a file.
fn collect(directory: &Path, prefix: &str, tell: &mut impl FnMut(String, Option<PathBuf>)) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let name = format!("{name}/");
            collect(&entry.path(), &name, tell);
            tell(name, None);
        } else {
            tell(name, Some(entry.path()));
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _unwatched = Unwatched::begin();
        OPEN.store(false, Ordering::Relaxed);
        // SAFETY: the descriptor is ours, since `create`.
        unsafe { libc::close(DESCRIPTOR) };
        // What cannot be removed goes with the worker's directory.
        let _ = fs::remove_dir_all(&self.path);
    }
}
