//! The directory for the files of executions: empty at the beginning of each that has files.

use std::ffi::{CString, c_char};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// The path of the one there is, which lives as long as this points to it.
static PATH: AtomicPtr<c_char> = AtomicPtr::new(ptr::null_mut());

pub(super) struct Directory {
    files: TempDir,
    // Read through PATH.
    _path: CString,
}

impl Directory {
    /// Makes the directory, which is removed on drop.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn make() -> Result<Self> {
        let files = tempfile::Builder::new()
            .prefix("threadbare-files-")
            .tempdir()
            .context("cannot make a temporary directory; free some space, or set TMPDIR")?;
        let path = CString::new(files.path().as_os_str().as_bytes())?;
        PATH.store(path.as_ptr().cast_mut(), Ordering::Release);
        Ok(Self { files, _path: path })
    }

    /// Removes what the last execution left.
    pub fn empty(&self) {
        for entry in fs::read_dir(self.files.path()).into_iter().flatten().flatten() {
            // What cannot be removed is there for the next execution to stumble over.
            let _ = fs::remove_file(entry.path());
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        PATH.store(ptr::null_mut(), Ordering::Release);
    }
}

/// Called by the harness (cpp/harness/systems.hpp) when it makes the leases of an execution.
#[unsafe(no_mangle)]
extern "C" fn threadbare_directory() -> *const c_char {
    PATH.load(Ordering::Acquire)
}
