//! A check: the sources of a C or C++ program that was never written for this harness, and how it is built and run.

pub mod framework;
mod quoted;
pub mod text;
pub mod trust;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use serde::{Deserialize, Serialize};

use self::framework::Test;
use crate::digest::{BASIS, fnv1a};
use crate::model::schedule::Injection;
use crate::regular;
use crate::target::{Kind, Points, Target, inputs};

/// What may be made to go wrong in a program under check, where the program must expect it.
pub const INJECTIONS: [Injection; 6] = [
    Injection::SpuriousWakeUp,
    Injection::WeakFailure,
    Injection::ShortRead,
    Injection::ShortWrite,
    Injection::Interrupted,
    Injection::Reset,
];

/// What the settings of a check have in place of the name of a runtime.
pub const RUNTIME: &str = "check";
/// Sources of a check: at most.
pub const MAX_SOURCES: usize = 256;
/// Bytes of a source: at most.
pub const MAX_SOURCE_BYTES: u64 = 1 << 30;
/// Flags of a check: at most.
pub const MAX_FLAGS: usize = 256;
/// Arguments of a check: at most.
pub const MAX_ARGUMENTS: usize = 1024;
/// Bytes of one path, flag or argument: at most. No path of Linux is longer.
pub const MAX_WORD_BYTES: usize = 4096;

/// Sources of a C or C++ program with a `main`, and how they are built and run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Where relative paths in sources and flags are seen from; the current directory if it is empty. No case holds it.
    pub directory: PathBuf,
    /// At least one, as they were given.
    pub sources: Vec<PathBuf>,
    /// For the compiler.
    pub flags: Vec<String>,
    /// For `main`, after the program's name.
    pub arguments: Vec<String>,
    pub points: Points,
    /// What may go wrong: any of [`INJECTIONS`].
    pub injections: Vec<Injection>,
    /// The test that the arguments name, where the program is explored test by test.
    pub test: Option<Test>,
    /// [`Check::digest`] when the case was recorded; what it is now may differ.
    pub recorded: Option<String>,
}

impl Check {
    /// Checks what a case file can hold and a compiler can be given.
    ///
    /// # Errors
    /// There is no source, or there is too much, or a path, flag or argument that cannot be one.
    pub fn validate(&self) -> Result<()> {
        ensure!(!self.sources.is_empty(), "{NO_SOURCE}");
        let utf8 = |path: &PathBuf| {
            let named =
                || anyhow!("{}: the path is not UTF-8, so no case can hold it; rename the file", path.display());
            path.to_str().map(str::to_owned).ok_or_else(named)
        };
        let sources = self.sources.iter().map(utf8).collect::<Result<Vec<_>>>()?;
        for (part, words) in [(Part::Source, &sources), (Part::Flag, &self.flags), (Part::Argument, &self.arguments)] {
            for (before, word) in words.iter().enumerate() {
                part.admit(word, before).map_err(|what| anyhow!(what))?;
            }
        }
        Ok(())
    }

    /// What is built of it.
    ///
    /// # Errors
    /// There is no current directory.
    pub fn target(&self) -> Result<Target> {
        let name = self.sources.first().and_then(|source| source.file_stem()).unwrap_or_default();
        Ok(Target {
            name: name.to_string_lossy().into_owned(),
            kind: Kind::Program(self.points),
            directory: self.working_directory()?,
            sources: self.sources.clone(),
            shared: Vec::new(),
            flags: self.flags.clone(),
        })
    }

    /// The same path wherever it is asked for from.
    fn working_directory(&self) -> Result<PathBuf> {
        if self.directory.as_os_str().is_empty() {
            return env::current_dir().context("cannot tell the current directory");
        }
        fs::canonicalize(&self.directory).with_context(|| format!("cannot find {}", self.directory.display()))
    }

    /// 16 hexadecimal digits that depend on the contents of the sources and on their order. Headers take no part.
    ///
    /// # Errors
    /// A source cannot be read; the error names it.
    pub fn digest(&self) -> Result<String> {
        let mut hash = BASIS;
        let mut files = Vec::new();
        for path in &self.sources {
            match inputs::is_built(path) {
                true => files.extend(inputs::contents(&self.directory, path)?),
                false => files.push(self.directory.join(path)),
            }
        }
        for path in files {
            let content = regular::read(&path, MAX_SOURCE_BYTES)
                .with_context(|| format!("cannot read the source {}", path.display()))?;
            // With the lengths, text that moves from one file to the next makes a difference.
            hash = fnv1a(hash, &(content.len() as u64).to_le_bytes());
            hash = fnv1a(hash, &content);
        }
        Ok(format!("{hash:016x}"))
    }

    /// Whether the sources differ from those that the case was recorded with; what has no digest counts as the same.
    ///
    /// # Errors
    /// A source cannot be read; the error names it.
    pub fn has_changed(&self) -> Result<bool> {
        match &self.recorded {
            Some(recorded) => Ok(self.digest()? != *recorded),
            None => Ok(false),
        }
    }

    /// The same check with sources that are there: each as it is given, seen from the current directory, or else from
    /// `beside`, the directory of the case file, or else all of them from `root`, the directory of the project.
    ///
    /// # Errors
    /// A source is in no such place; the error names it.
    pub fn located(&self, beside: &Path, root: Option<&Path>) -> Result<Self> {
        let find = |path: &PathBuf| {
            let there = [path.clone(), beside.join(path)].into_iter().find(|path| path.is_file());
            there.ok_or_else(|| missing(path, beside))
        };
        let is_here = self.sources.iter().all(|path| path.is_file());
        if let Some(root) = root.filter(|root| !is_here && self.sources.iter().all(|path| root.join(path).is_file())) {
            return Ok(Self { directory: root.to_owned(), ..self.clone() });
        }
        Ok(Self { sources: self.sources.iter().map(find).collect::<Result<_>>()?, ..self.clone() })
    }
}

fn missing(path: &Path, beside: &Path) -> anyhow::Error {
    let name = path.display();
    if path.is_absolute() {
        return anyhow!("no source {name}; put it back where it was recorded, or correct the case's `source` line");
    }
    let beside = if beside.as_os_str().is_empty() { Path::new(".") } else { beside };
    anyhow!(
        "no source {name}, neither below the current directory nor below {}, where the case is; start threadbare where \
         the case was recorded, or put the source beside the case",
        beside.display()
    )
}

const NO_SOURCE: &str = "a check without a source; name at least one C or C++ file";

/// The lists of a check.
#[derive(Clone, Copy)]
enum Part {
    Source,
    Flag,
    Argument,
}

impl Part {
    const ALL: [Self; 3] = [Self::Source, Self::Flag, Self::Argument];

    /// The word that begins its lines in a case file.
    fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Flag => "flag",
            Self::Argument => "argument",
        }
    }

    fn most(self) -> usize {
        match self {
            Self::Source => MAX_SOURCES,
            Self::Flag => MAX_FLAGS,
            Self::Argument => MAX_ARGUMENTS,
        }
    }

    /// Whether `entry` may stand in the list, which has this many `before` it; else what is wrong and what is right.
    fn admit(self, entry: &str, before: usize) -> Result<(), String> {
        let word = self.word();
        if before >= self.most() {
            return Err(format!("more than {} {word}s; leave some out", self.most()));
        }
        if entry.len() > MAX_WORD_BYTES {
            return Err(format!("a {word} of {} bytes; write at most {MAX_WORD_BYTES}", entry.len()));
        }
        if entry.contains('\0') {
            return Err(format!("a {word} with a zero character, where C ends a string; leave it out"));
        }
        match self {
            Self::Source | Self::Flag if entry.is_empty() => Err(format!("an empty {word}; leave it out")),
            // To a compiler that would be an option, or a file full of them.
            Self::Source if entry.starts_with(['-', '@']) => {
                Err(format!("the source {} looks like an option; write {}", quoted::quote(entry), {
                    quoted::quote(&format!("./{entry}"))
                }))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
impl Check {
    /// That of one source, for tests.
    pub fn sample(source: &str) -> Self {
        Self {
            directory: PathBuf::new(),
            sources: vec![source.into()],
            flags: Vec::new(),
            arguments: Vec::new(),
            points: Points::Sync,
            injections: Vec::new(),
            test: None,
            recorded: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sources: &[&Path]) -> Check {
        Check { sources: sources.iter().map(|path| path.to_path_buf()).collect(), ..Check::sample("") }
    }

    #[test]
    fn the_words_of_points_are_those_of_json() {
        for points in Points::ALL {
            assert_eq!(crate::model::word(&points), points.word());
        }
    }

    #[test]
    fn a_digest_depends_on_what_is_in_which_source_and_not_on_its_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &str, content: &str| {
            let path = directory.path().join(name);
            fs::write(&path, content).expect("written");
            path
        };
        let digest = |sources: &[&Path]| check(sources).digest().expect("readable");
        let (ab, c) = (write("ab.c", "ab"), write("c.c", "c"));
        let (a, bc) = (write("a.c", "a"), write("bc.c", "bc"));
        let known = digest(&[&ab, &c]);
        assert_eq!(known.len(), 16);
        assert_eq!(known, digest(&[&write("other.c", "ab"), &c]));
        assert_ne!(known, digest(&[&a, &bc]), "a boundary moved");
        assert_ne!(known, digest(&[&c, &ab]), "the order changed");
        assert_ne!(known, digest(&[&ab]));
    }

    #[test]
    fn a_source_that_was_edited_has_changed_and_one_that_was_not_has_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.c");
        fs::write(&path, "int main() { return 0; }\n").expect("written");
        let mut check = check(&[&path]);
        assert!(!check.has_changed().expect("readable"), "nothing was recorded");
        check.recorded = Some(check.digest().expect("readable"));
        assert!(!check.has_changed().expect("readable"));
        fs::write(&path, "int main() { return 1; }\n").expect("written");
        assert!(check.has_changed().expect("readable"));
        fs::remove_file(&path).expect("removed");
        let error = format!("{:#}", check.has_changed().expect_err("gone"));
        assert!(error.contains("a.c"), "{error}");
    }

    #[test]
    fn sources_are_found_from_here_or_else_beside_the_case() {
        let directory = tempfile::tempdir().expect("a directory");
        let beside = directory.path();
        fs::write(beside.join("only_here.c"), "").expect("written");
        // Tests run in the directory of the package.
        let found =
            check(&[Path::new("Cargo.toml"), Path::new("only_here.c")]).located(beside, None).expect("both are there");
        assert_eq!(found.sources, [PathBuf::from("Cargo.toml"), beside.join("only_here.c")]);
    }

    #[test]
    fn sources_of_a_project_are_found_from_its_directory() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        fs::create_dir(root.join("src")).expect("made");
        fs::write(root.join("src/only_there.c"), "one").expect("written");
        let check = check(&[Path::new("src/only_there.c")]);
        let found = check.located(Path::new("nowhere"), Some(root)).expect("it is there");
        assert_eq!((found.sources.as_slice(), found.directory.as_path()), (check.sources.as_slice(), root));
        assert_eq!(found.target().expect("a target").directory, fs::canonicalize(root).expect("it exists"));
        assert!(found.digest().is_ok() && check.digest().is_err());
    }

    #[test]
    fn a_source_that_is_nowhere_is_named_with_the_places_looked_at() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().display().to_string();
        let error = |path: &Path| check(&[path]).located(directory.path(), None).expect_err("nowhere").to_string();
        let told = error(Path::new("gone.c"));
        assert!(told.contains("gone.c") && told.contains("current directory") && told.contains(&place), "{told}");
        let told = error(Path::new("/nowhere/gone.c"));
        assert!(told.starts_with("no source /nowhere/gone.c; "), "{told}");
        assert!(error(directory.path()).contains(&place), "a directory is no source");
    }

    #[test]
    fn what_no_case_can_hold_and_no_compiler_can_be_given_is_refused() {
        use std::os::unix::ffi::OsStrExt;
        let valid = check(&[Path::new("a.c")]);
        valid.validate().expect("valid");
        Check { arguments: vec![String::new()], ..valid.clone() }.validate().expect("an argument may be empty");
        let refused = |check: &Check, why: &str| {
            let told = check.validate().expect_err(why).to_string();
            assert!(told.contains(why), "{told}");
        };
        refused(&check(&[]), "without a source");
        refused(&check(&[Path::new("")]), "an empty source");
        refused(&check(&[Path::new("-o")]), r#"write "./-o""#);
        refused(&check(&[Path::new("@flags")]), r#"write "./@flags""#);
        refused(&check(&[Path::new(std::ffi::OsStr::from_bytes(b"\xff.c"))]), "not UTF-8");
        refused(&check(&vec![Path::new("a.c"); MAX_SOURCES + 1]), "more than 256 sources");
        refused(&Check { flags: vec![String::new()], ..valid.clone() }, "an empty flag");
        refused(&Check { flags: vec!["-g".to_owned(); MAX_FLAGS + 1], ..valid.clone() }, "more than 256 flags");
        refused(&Check { arguments: vec!["a\0b".to_owned()], ..valid.clone() }, "zero character");
        refused(&Check { arguments: vec!["a".repeat(MAX_WORD_BYTES + 1)], ..valid.clone() }, "of 4097 bytes");
        refused(&Check { arguments: vec!["1".to_owned(); MAX_ARGUMENTS + 1], ..valid }, "more than 1024 arguments");
    }
}
