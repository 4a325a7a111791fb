//! The input under execution, in a file that outlives the process, as the trace does.

use std::fs;
use std::path::Path;

use anyhow::Result;
use memmap2::MmapRaw;

use super::mapped;
use crate::input::MAX_BYTES;

/// The length comes first.
const LENGTH: usize = size_of::<u64>();

/// A mapped file with room for one input.
pub struct InputSlot {
    // Invariant: maps `LENGTH + MAX_BYTES` bytes.
    map: MmapRaw,
}

impl InputSlot {
    /// Creates the file, with an empty input in it.
    ///
    /// # Errors
    /// The file cannot be created, sized or mapped.
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { map: mapped::create(path, LENGTH + MAX_BYTES)? })
    }

    /// Puts an input there; what is longer than any is cut off.
    pub fn put(&mut self, input: &[u8]) {
        let length = input.len().min(MAX_BYTES);
        // SAFETY: within the mapping, of which the start of a page is aligned for anything.
        unsafe {
            std::ptr::copy_nonoverlapping(input.as_ptr(), self.map.as_mut_ptr().add(LENGTH), length);
            self.map.as_mut_ptr().cast::<u64>().write_volatile(length as u64);
        }
    }

    /// The input in the file of a process that has ended; `None` if there is none.
    #[must_use]
    pub fn read(path: &Path) -> Option<Vec<u8>> {
        let mut bytes = fs::read(path).ok()?;
        let length = u64::from_ne_bytes(bytes.get(..LENGTH)?.try_into().ok()?) as usize;
        bytes.drain(..LENGTH);
        bytes.truncate(length);
        (!bytes.is_empty()).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_last_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("input");
        let mut slot = InputSlot::create(&path).expect("made");
        assert_eq!(InputSlot::read(&path), None);
        slot.put(b"longer");
        slot.put(b"short");
        assert_eq!(InputSlot::read(&path).as_deref(), Some(&b"short"[..]));
        assert_eq!(InputSlot::read(&directory.path().join("other")), None);
    }
}
