//! Digests of the contents of files, by which the cache knows whether they changed.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The digest of a file's content.
pub(super) type Digest = String;

/// Digests of files, each read once.
#[derive(Default)]
pub struct Digests(HashMap<PathBuf, Option<Digest>>);

impl Digests {
    /// Of the file at `path`; `None` if it cannot be read.
    pub fn of(&mut self, path: &Path) -> Option<Digest> {
        if let Some(known) = self.0.get(path) {
            return known.clone();
        }
        let digest = digest_of(path).ok();
        self.0.insert(path.to_owned(), digest.clone());
        digest
    }

    /// That of a file that was just written.
    pub(super) fn insert(&mut self, path: PathBuf, digest: Digest) {
        self.0.insert(path, Some(digest));
    }
}

pub(super) fn digest_of(path: &Path) -> io::Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().to_hex()[..32].to_owned())
}
