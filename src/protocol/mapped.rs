//! Files that are mapped, so that what is in them outlives the process.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use anyhow::{Context, Result};
use memmap2::MmapRaw;

/// What a file is sure to have room for from the beginning; where more is full, touching it ends the process.
const RESERVED: usize = 1 << 20;

/// Creates a file of so many bytes, all of them 0, and maps it.
///
/// # Errors
/// The file cannot be created, sized or mapped; the error names it.
pub fn create(path: &Path, size: usize) -> Result<MmapRaw> {
    let open = || -> Result<MmapRaw> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        file.set_len(size as u64)?;
        // SAFETY: an open file.
        let error = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, size.min(RESERVED) as libc::off_t) };
        if error != 0 {
            return Err(io::Error::from_raw_os_error(error).into());
        }
        Ok(MmapRaw::map_raw(&file)?)
    };
    open().with_context(|| format!("cannot create {}; free some space, or set TMPDIR", path.display()))
}
