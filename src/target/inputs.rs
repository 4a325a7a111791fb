//! What a target can be made of: sources, what the compiler wrappers made, and what is linked as it is.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use object::elf::{ET_REL, PT_INTERP};
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};

use super::Language;
use super::recorded::{Compiled, Recorded};

/// One of the files that a target is made of.
#[derive(Clone, Debug)]
pub enum Input {
    Source(Language),
    /// Made by the compiler wrappers, of these sources.
    Recorded(Recorded),
    /// An archive, object or shared library that is linked as it is.
    Prebuilt,
}

impl Input {
    /// What the file at a path is, seen from `directory`.
    ///
    /// # Errors
    /// It is missing, or nothing that a target can be made of; or a source of what it was made of is missing.
    pub fn of(directory: &Path, path: &Path) -> Result<Self> {
        let shown = path.display();
        let place = directory.join(path);
        ensure!(place.is_file(), "{shown}: no such file");
        if let Some(language) = Language::of(path) {
            return Ok(Self::Source(language));
        }
        let kind = Kind::of(&place);
        if kind == Kind::Other {
            bail!(
                "{shown}: neither C nor C++ by its name, nor an object, archive, shared library or executable; name files that end \
                 in .c or .cpp"
            );
        }
        if let Some(recorded) = Recorded::of(&place)? {
            return match recorded.compiled.iter().find(|compiled| !compiled.path().is_file()) {
                Some(gone) => Err(gone_error(path, gone)),
                None => Ok(Self::Recorded(recorded)),
            };
        }
        ensure!(
            kind == Kind::Linkable,
            "{shown}: it was not built by threadbare's compiler wrappers, so nobody knows of which sources; build it with \
             `CC=\"threadbare cc\" CXX=\"threadbare c++\"` (docs/projects.md), or name its sources"
        );
        Ok(Self::Prebuilt)
    }
}

fn gone_error(path: &Path, gone: &Compiled) -> anyhow::Error {
    anyhow::anyhow!(
        "{}: its source {} is gone, which is compiled anew for what is explored; build it again",
        path.display(),
        gone.path().display()
    )
}

/// Whether files of this name are made by a compiler and not written.
#[must_use]
pub fn is_built(path: &Path) -> bool {
    Language::of(path).is_none()
}

/// Whether files of this name are objects, archives or shared libraries.
#[must_use]
pub fn is_linkable(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    [".o", ".a", ".so"].iter().any(|end| name.ends_with(end)) || name.contains(".so.")
}

/// The files whose contents tell one build of a target from another: sources, or what was made without them.
///
/// # Errors
/// As [`Input::of`].
pub fn contents(directory: &Path, path: &Path) -> Result<Vec<PathBuf>> {
    Ok(match Input::of(directory, path)? {
        Input::Recorded(recorded) => recorded.compiled.iter().map(Compiled::path).collect(),
        Input::Source(_) | Input::Prebuilt => vec![directory.join(path)],
    })
}

#[derive(PartialEq, Eq)]
enum Kind {
    Executable,
    Linkable,
    Other,
}

impl Kind {
    fn of(path: &Path) -> Self {
        let Ok(bytes) = fs::read(path) else { return Self::Other };
        let is_archive = bytes.starts_with(b"!<arch>\n") || bytes.starts_with(b"!<thin>\n");
        let Ok(file) = ElfFile64::<object::Endianness>::parse(&*bytes) else {
            // A linker's script stands in the place of some shared libraries.
            let is_named_so = path.extension() == Some(OsStr::new("so"));
            return if is_archive || is_named_so { Self::Linkable } else { Self::Other };
        };
        let endian = file.endian();
        let is_started = file.elf_program_headers().iter().any(|header| header.p_type(endian) == PT_INTERP);
        let is_object = file.elf_header().e_type(endian) == ET_REL;
        let is_named_so = path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.contains(".so"));
        if is_object || (is_named_so && !is_started) { Self::Linkable } else { Self::Executable }
    }
}
