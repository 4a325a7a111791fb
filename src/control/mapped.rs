//! Files that are mapped, so that what is in them outlives the process.

use std::fs::OpenOptions;
use std::path::Path;

use anyhow::{Context, Result};
use memmap2::MmapRaw;

/// Creates a file of so many bytes, all of them 0, and maps it.
///
/// # Errors
/// The file cannot be created, sized or mapped; the error names it.
pub(super) fn create(path: &Path, size: usize) -> Result<MmapRaw> {
    let open = || -> Result<MmapRaw> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        file.set_len(size as u64)?;
        Ok(MmapRaw::map_raw(&file)?)
    };
    open().with_context(|| format!("cannot create {}; free some space, or set TMPDIR", path.display()))
}
