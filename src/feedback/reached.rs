//! What the executions of a process reached: which counters they raised, and to which powers of 2. It is in a file that
//! outlives the process, as the trace is.

use std::fs;
use std::path::Path;

use anyhow::Result;
use memmap2::MmapRaw;

use super::counters::{self, COUNT, Feature};
use crate::protocol::map_file;

/// A bit for each power of 2 of each counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Features(Vec<u8>);

impl Default for Features {
    fn default() -> Self {
        Self(vec![0; COUNT])
    }
}

impl Features {
    /// Those in a file; none if it is missing or cut off.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        fs::read(path).ok().filter(|bytes| bytes.len() == COUNT).map_or_else(Self::default, Self)
    }

    /// Adds one; whether it was not there.
    pub fn insert(&mut self, (counter, power): Feature) -> bool {
        let powers = &mut self.0[usize::from(counter)];
        let before = *powers;
        *powers |= 1 << power;
        *powers != before
    }

    /// As they are in a file.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Adds others.
    pub fn extend(&mut self, others: &Self) {
        self.0.iter_mut().zip(&others.0).for_each(|(ours, theirs)| *ours |= theirs);
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().map(|powers| u64::from(powers.count_ones())).sum()
    }
}

/// A mapped file of features.
pub struct Reached {
    // Invariant: maps `COUNT` bytes.
    map: MmapRaw,
    /// What is nothing new.
    before: Features,
}

impl Reached {
    /// Creates the file, with no feature in it. `before` was reached by other processes.
    ///
    /// # Errors
    /// The file cannot be created, sized or mapped.
    pub fn create(path: &Path, before: Features) -> Result<Self> {
        Ok(Self { map: map_file(path, COUNT)?, before })
    }

    /// Adds what the counters show; whether any of it was not reached before.
    pub fn look(&mut self) -> bool {
        let map = self.map.as_mut_ptr();
        let mut is_new = false;
        counters::each_feature(|(counter, power)| {
            let (counter, bit) = (usize::from(counter), 1 << power);
            is_new |= self.before.0[counter] & bit == 0;
            // SAFETY: within the mapping, which nobody else writes.
            unsafe { *map.add(counter) |= bit };
        });
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_reached_is_in_the_file_and_only_what_others_did_not_reach_is_new() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("reached");
        let _alone = counters::alone();
        let look = |before: Features, raised: &[(usize, u32)]| {
            counters::clear();
            for &(counter, times) in raised {
                (0..times).for_each(|_| counters::add(counter));
            }
            let is_new = Reached::create(&path, before).expect("made").look();
            (is_new, Features::read(&path))
        };
        let (is_new, once) = look(Features::default(), &[(7, 1), (COUNT - 1, 200)]);
        assert!(is_new);
        assert_eq!(once.count(), 2);
        assert!(!look(once.clone(), &[(7, 1)]).0);
        let (is_new, often) = look(once.clone(), &[(7, 5)]);
        assert!(is_new, "more of the same is something else");
        let mut all = once;
        all.extend(&often);
        assert_eq!(all.count(), 3);
        assert_eq!(Features::read(&directory.path().join("other")), Features::default());
    }
}
