//! Inputs that did something new: the corpus of a coverage-guided campaign, in a directory that several campaigns can
//! share.
//!
//! An input's name is made of its bytes, and a file appears whole or not at all. So whoever writes the same input
//! writes the same file, a campaign that is killed leaves nothing half done, and the next one resumes from what is
//! there. libFuzzer's own corpora are directories of the same bytes under other names.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::digest::{BASIS, fnv1a};
use crate::input::Input;
use crate::model::limits::MAX_INPUT_BYTES;
use crate::regular::{self, Unread};
use crate::whole_file::{self, PARTIAL, write_at_once};

const EXTENSION: &str = "input";

/// Inputs by name.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// Where they are kept, if anywhere.
    directory: Option<PathBuf>,
    inputs: BTreeMap<String, Vec<u8>>,
    /// Files that are no inputs that this threadbare reads, and why. They stay where they are.
    refused: BTreeMap<PathBuf, String>,
}

/// What became of a campaign's corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gathered {
    pub inputs: usize,
    /// Of which this campaign, or one beside it, added.
    pub added: usize,
    /// Files in the directory that are not used.
    pub refused: usize,
}

impl Corpus {
    /// The corpus in a directory, which is made if it is missing.
    ///
    /// # Errors
    /// The directory cannot be made, written to or read.
    pub fn open(directory: &Path) -> Result<Self> {
        let named = || format!("cannot keep a corpus in {}; name another directory", directory.display());
        whole_file::prepare(directory).with_context(named)?;
        Self::read(directory)
    }

    /// The corpus in a directory that must be there.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn read(directory: &Path) -> Result<Self> {
        let mut corpus = Self { directory: Some(directory.to_owned()), ..Self::default() };
        corpus.refresh()?;
        Ok(corpus)
    }

    /// Takes in what others have put into the directory.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn refresh(&mut self) -> Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let entries =
            fs::read_dir(directory).with_context(|| format!("cannot read the corpus {}", directory.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read the corpus {}", directory.display()))?;
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                self.refused.insert(path, "its name is not UTF-8".to_owned());
                continue;
            };
            let is_known = self.inputs.contains_key(&name) || self.refused.contains_key(&path);
            // Pipes and directories are none of ours.
            if is_known || name.starts_with(PARTIAL) || !fs::metadata(&path).is_ok_and(|data| data.is_file()) {
                continue;
            }
            match bytes_of(&path) {
                Ok(bytes) => match Input::decode(&bytes) {
                    Ok(_) => drop(self.inputs.insert(name, bytes)),
                    Err(why) => drop(self.refused.insert(path, why.to_string())),
                },
                // Another process may have minimised the corpus.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => drop(self.refused.insert(path, format!("cannot be read: {error}"))),
            }
        }
        Ok(())
    }

    /// Adds inputs; those that are there already change nothing. How many were new.
    ///
    /// # Errors
    /// The directory or the disk does not take one. Those before it are kept.
    pub fn extend<'a>(&mut self, inputs: impl IntoIterator<Item = &'a Input>) -> Result<u64> {
        let mut added = 0;
        for input in inputs {
            let bytes = input.encode();
            let name = name_of(&bytes);
            if self.inputs.contains_key(&name) {
                continue;
            }
            if let Some(directory) = &self.directory {
                // An input that a machine's end cut off is refused, and found again.
                write_at_once(&directory.join(&name), &bytes, false).with_context(|| {
                    format!("cannot add to the corpus {}; what is there stays: free some space", directory.display())
                })?;
            }
            self.inputs.insert(name, bytes);
            added += 1;
        }
        Ok(added)
    }

    /// Keeps the inputs of these names only; how many went.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn retain(&mut self, kept: impl Fn(&str) -> bool) -> Result<u64> {
        let gone: Vec<String> = self.inputs.keys().filter(|name| !kept(name)).cloned().collect();
        for name in &gone {
            if let Some(directory) = &self.directory {
                let path = directory.join(name);
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                    }
                    _ => {}
                }
            }
            self.inputs.remove(name);
        }
        Ok(gone.len() as u64)
    }

    /// The inputs, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.inputs.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Files in the directory that are not used, and why.
    pub fn refused(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.refused.iter().map(|(path, why)| (path.as_path(), why.as_str()))
    }
}

/// The same bytes have the same name in every corpus.
pub(super) fn name_of(bytes: &[u8]) -> String {
    // The length as well, since the hash is not made to resist anybody.
    format!("{:016x}-{}.{EXTENSION}", fnv1a(BASIS, bytes), bytes.len())
}

/// The start of a file, as much as an input has and one byte more.
fn bytes_of(path: &Path) -> std::io::Result<Vec<u8>> {
    regular::beginning(path, MAX_INPUT_BYTES as u64 + 1).map_err(|why| match why {
        Unread::Failed(error) => error,
        Unread::Irregular | Unread::TooLarge => std::io::Error::other(why),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Mutator;
    use crate::task_graph::Shape;

    fn input(seed: u64) -> Input {
        Mutator::new(2, Shape::of_size(3)).fresh(seed)
    }

    #[test]
    fn what_one_campaign_adds_the_other_sees_and_the_same_input_is_there_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut first = Corpus::open(directory.path()).expect("a corpus");
        let mut second = Corpus::open(directory.path()).expect("a corpus");
        assert_eq!(first.extend([&input(1), &input(2)]).expect("written"), 2);
        assert_eq!(second.extend([&input(2), &input(3)]).expect("written"), 2);
        first.refresh().expect("readable");
        assert_eq!(first.len(), 3);
        assert_eq!(first.extend([&input(3)]).expect("written"), 0);
        assert_eq!(fs::read_dir(directory.path()).expect("readable").count(), 3);
    }

    #[test]
    fn files_that_are_no_inputs_are_refused_by_name_and_stay() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut cut = input(1).encode();
        cut.pop();
        fs::write(directory.path().join("cut"), &cut).expect("written");
        fs::write(directory.path().join("notes.txt"), "noise").expect("written");
        fs::write(directory.path().join(format!("{PARTIAL}x")), "half").expect("written");
        fs::create_dir(directory.path().join("folder")).expect("made");
        fs::write(directory.path().join("of-libfuzzer"), input(2).encode()).expect("written");
        let corpus = Corpus::open(directory.path()).expect("a corpus");
        assert_eq!(corpus.len(), 1);
        let refused: Vec<String> = corpus.refused().map(|(path, why)| format!("{}: {why}", path.display())).collect();
        assert_eq!(refused.len(), 2);
        assert!(refused[0].contains("cut off") && refused[1].contains("notes.txt: not an input"), "{refused:?}");
        assert!(directory.path().join("notes.txt").exists());
    }

    #[test]
    fn what_is_not_kept_is_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut corpus = Corpus::open(directory.path()).expect("a corpus");
        corpus.extend([&input(1), &input(2)]).expect("written");
        let first = corpus.iter().next().expect("an input").0.to_owned();
        assert_eq!(corpus.retain(|name| name == first).expect("removed"), 1);
        assert_eq!(Corpus::read(directory.path()).expect("a corpus").len(), 1);
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        fs::write(&file, "").expect("written");
        let error = Corpus::open(&file.join("corpus")).expect_err("a file is no directory");
        assert!(format!("{error:#}").contains("file/corpus"), "{error:#}");
    }
}
