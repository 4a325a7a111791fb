//! What the compiler wrappers leave in the files that they make: how each source was compiled, and what was linked. Objects
//! and executables are native ones; what is explored is made of the same sources, for each sanitizer, when it is needed.

pub mod arguments;
pub mod database;
mod kept;
mod link;
pub mod section;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use object::read::archive::ArchiveFile;
use object::{Object as _, ObjectSection as _};
use serde::{Deserialize, Serialize};

pub use kept::kept;

/// The section of an object with a line for each source, which the linker joins.
pub const COMPILED: &str = ".threadbare.compiled";
/// That of an executable or shared library, with one line.
pub const LINKED: &str = ".threadbare.linked";

/// How a source was compiled.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Compiled {
    /// Where the compiler ran.
    pub directory: PathBuf,
    pub source: PathBuf,
    /// As the option `-x` has it.
    pub language: String,
    /// But for the source and what came of it.
    pub arguments: Vec<String>,
}

/// What an executable or shared library was linked of, beside what was compiled by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// Sources that were compiled and linked at once.
    pub compiled: Vec<Compiled>,
    /// Shared libraries with such sections.
    pub shared: Vec<PathBuf>,
    /// Archives, objects and shared libraries without them.
    pub prebuilt: Vec<PathBuf>,
    /// Flags for the linker that change what is linked.
    pub flags: Vec<String>,
}

impl Compiled {
    /// Where the source lies.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join(&self.source)
    }

    #[must_use]
    pub fn is_assembler(&self) -> bool {
        self.language.starts_with("assembler")
    }
}

/// All that a file is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// In the order in which they were linked, each once.
    pub compiled: Vec<Compiled>,
    /// Archives, objects and shared libraries that were linked as they are.
    pub prebuilt: Vec<PathBuf>,
    /// For the linker.
    pub flags: Vec<String>,
    /// Shared libraries whose sources are among those here.
    pub merged: Vec<PathBuf>,
}

impl Recorded {
    /// What the wrappers left in a file and in the shared libraries that it was linked with; `None` if there is nothing.
    ///
    /// # Errors
    /// The file, or one of those libraries, cannot be read, or what is in it is broken.
    pub fn of(path: &Path) -> Result<Option<Self>> {
        let mut all = Self::default();
        let mut files = vec![path.to_owned()];
        let mut seen = HashSet::new();
        let mut known = HashSet::new();
        let mut is_recorded = false;
        while let Some(file) = files.pop() {
            if !seen.insert(file.clone()) {
                continue;
            }
            let (compiled, linked) = in_file(&file)?;
            is_recorded |= !compiled.is_empty() || linked.is_some();
            let linked = linked.unwrap_or_default();
            // The same object may be in the executable and in a library of its.
            let new = linked.compiled.into_iter().chain(compiled).filter(|compiled| known.insert(compiled.clone()));
            all.compiled.extend(new);
            let prebuilt = linked.prebuilt.into_iter().filter(|file| seen.insert(file.clone()));
            all.prebuilt.extend(prebuilt);
            all.flags.extend(linked.flags);
            all.merged.extend(linked.shared.iter().filter(|file| !seen.contains(*file)).cloned());
            files.extend(linked.shared.into_iter().rev());
        }
        Ok(is_recorded.then_some(all))
    }
}

/// Whether the wrappers left something in a file, or in a member of an archive.
#[must_use]
pub fn is_in(path: &Path) -> bool {
    in_file(path).is_ok_and(|(compiled, linked)| !compiled.is_empty() || linked.is_some())
}

/// Whether some member of an archive has nothing, so that it is needed as it is.
#[must_use]
pub fn is_incomplete(path: &Path) -> bool {
    let Ok(bytes) = fs::read(path) else { return false };
    let Ok(archive) = ArchiveFile::parse(&*bytes) else { return false };
    let has = |data: &[u8]| text_of(data, COMPILED).is_some();
    archive.members().flatten().any(|member| !member.data(&*bytes).is_ok_and(has))
}

fn in_file(path: &Path) -> Result<(Vec<Compiled>, Option<Linked>)> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut compiled = Vec::new();
    let mut linked = None;
    let broken = || format!("what `threadbare cc` left in {} is broken; build it again", path.display());
    let mut look = |data: &[u8]| -> Result<()> {
        compiled.extend(lines(&text_of(data, COMPILED).unwrap_or_default()).with_context(broken)?);
        if let Some(last) = lines(&text_of(data, LINKED).unwrap_or_default()).with_context(broken)?.pop() {
            linked = Some(last);
        }
        Ok(())
    };
    match ArchiveFile::parse(&*bytes) {
        Ok(archive) => {
            archive.members().flatten().filter_map(|member| member.data(&*bytes).ok()).try_for_each(look)?;
        }
        Err(_) => look(&bytes)?,
    }
    Ok((compiled, linked))
}

fn text_of(bytes: &[u8], section: &str) -> Option<String> {
    let file = object::File::parse(bytes).ok()?;
    let data = file.section_by_name(section)?.data().ok()?;
    Some(String::from_utf8_lossy(data).into_owned())
}

fn text_in(path: &Path, section: &str) -> Option<String> {
    text_of(&fs::read(path).ok()?, section)
}

fn lines<T: for<'a> Deserialize<'a>>(text: &str) -> serde_json::Result<Vec<T>> {
    // Linkers may fill up with zeros.
    let lines = text.split(['\n', '\0']).filter(|line| !line.is_empty());
    lines.map(serde_json::from_str).collect()
}

/// What is kept in a section, as a line.
#[must_use]
pub fn line(kept: &impl Serialize) -> String {
    serde_json::to_string(kept).map(|line| line + "\n").unwrap_or_default()
}
