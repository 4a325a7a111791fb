//! The input under execution, in a file that outlives the process, as the trace does.

use std::fs;
use std::path::Path;

use anyhow::Result;
use memmap2::MmapRaw;

use super::mapped;
use crate::model::limits::MAX_INPUT_BYTES;

/// The length comes first, then the number of task graphs.
const HEADER: usize = 2 * size_of::<u64>();

/// A mapped file with room for one input.
pub struct InputSlot {
    // Invariant: maps `HEADER + MAX_INPUT_BYTES` bytes.
    map: MmapRaw,
}

/// What was put last.
#[derive(Debug, PartialEq, Eq)]
pub struct Slotted {
    pub input: Vec<u8>,
    /// Different task graphs that the process executed, with this one.
    pub task_graphs: u64,
}

impl InputSlot {
    /// Creates the file, with nothing in it.
    ///
    /// # Errors
    /// The file cannot be created, sized or mapped.
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { map: mapped::create(path, HEADER + MAX_INPUT_BYTES)? })
    }

    /// Puts an input there; what is longer than any is cut off.
    pub fn put(&mut self, input: &[u8], task_graphs: u64) {
        let length = input.len().min(MAX_INPUT_BYTES);
        // SAFETY: within the mapping, of which the start of a page is aligned for anything.
        unsafe {
            std::ptr::copy_nonoverlapping(input.as_ptr(), self.map.as_mut_ptr().add(HEADER), length);
            self.map.as_mut_ptr().cast::<[u64; 2]>().write_volatile([length as u64, task_graphs]);
        }
    }

    /// What is in the file of a process that has ended; `None` if nothing was put there.
    #[must_use]
    pub fn read(path: &Path) -> Option<Slotted> {
        let mut bytes = fs::read(path).ok()?;
        let mut header = bytes.get(..HEADER)?.chunks(size_of::<u64>());
        let mut number = || Some(u64::from_ne_bytes(header.next()?.try_into().ok()?));
        let (length, task_graphs) = (number()? as usize, number()?);
        bytes.drain(..HEADER);
        bytes.truncate(length);
        (!bytes.is_empty()).then_some(Slotted { input: bytes, task_graphs })
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
        slot.put(b"longer", 1);
        slot.put(b"short", 2);
        assert_eq!(InputSlot::read(&path), Some(Slotted { input: b"short".to_vec(), task_graphs: 2 }));
        assert_eq!(InputSlot::read(&directory.path().join("other")), None);
    }
}
