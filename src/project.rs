//! The project file `threadbare.toml`: targets by name, and defaults for the command line.
//!
//! ```toml
//! [defaults]
//! cxx = "clang++-22"                 # a name on PATH, or a path
//! sanitizers = ["none", "thread"]    # of none, thread and address
//! threads = [1, 2, 4]                # of runtimes
//! jobs = 2
//! findings = "findings"
//! cases = ["tests/corpus"]           # what `replay` and `ci` replay
//!
//! [program.lost_update]              # C or C++ with a `main`
//! sources = ["src/*.c"]              # required; files, or patterns with `*`, `**`, `?` and `[...]`
//! include = ["include"]              # directories
//! standard = "c17"
//! flags = ["-O1"]                    # for the compiler, after all others
//! sanitizers = ["none"]              # in place of those of the defaults
//! arguments = ["3"]                  # of `main`
//! inject = ["spurious-wake-up"]      # or those of `check --inject`
//! points = "memory"                  # sync or memory
//! strategy = "portfolio"
//! memory = "cpp20"                   # sc, tso or cpp20
//! races = "on"                       # on or off
//!
//! [runtime.mine]                     # a coroutine runtime behind an adapter
//! sources = ["adapter.cpp"]          # sources, include, standard, flags and sanitizers are as of a program
//! threads = [1, 2]                   # in place of those of the defaults
//! ```
//!
//! Paths are relative to the directory of the file. Whatever is wrong is one error of one line: file, line, what is
//! wrong, and the nearest right word.

mod document;
mod fields;
mod keys;
mod nearest;
mod nesting;
mod paths;
mod pattern;
mod read;
mod sources;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, anyhow};

use crate::check::framework::EachTest;
use crate::model::schedule::Injection;
use crate::model::settings::{MemoryModel, Races, Sanitizer, StrategyName};
use crate::target::Points;
use document::{Document, quoted};
use paths::Place;

/// The name of a project file.
pub const FILE_NAME: &str = "threadbare.toml";

/// A project file that was read. Its paths can be used from the current directory, but those of targets from `root`, so
/// that a target is the same wherever it is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The directory of the file.
    pub root: PathBuf,
    pub file: PathBuf,
    pub defaults: Defaults,
    /// In the order of the file; no two have the same name.
    pub targets: Vec<Entry>,
}

/// What holds where the command line says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The compiler: a name to look up on PATH, or the path of a file.
    pub cxx: Option<PathBuf>,
    /// Distinct, and at least one.
    pub sanitizers: Option<Vec<Sanitizer>>,
    /// Distinct, and at least one.
    pub threads: Option<Vec<u16>>,
    pub jobs: Option<usize>,
    /// It may not exist yet.
    pub findings: Option<PathBuf>,
    /// What is replayed: files and directories that exist.
    pub cases: Option<Vec<PathBuf>>,
}

/// A target with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub kind: Kind,
    /// File and line of its name, such as `threadbare.toml:7`, for errors about what only the caller can judge.
    pub place: String,
    /// Regular files, distinct, at least one; seen from the directory of the file.
    pub sources: Vec<PathBuf>,
    /// For the compiler, which runs in the directory of the file: `-std=`, then `-I` of each directory, then the flags as they
    /// are written.
    pub flags: Vec<String>,
    /// Of `main`; none for a runtime.
    pub arguments: Vec<String>,
    /// Of a program whose tests are explored one by one: those that fit, if any are named.
    pub each_test: Option<EachTest>,
    pub tests: Vec<String>,
    /// What may go wrong; none for a runtime.
    pub inject: Vec<Injection>,
    pub points: Option<Points>,
    pub strategy: Option<StrategyName>,
    pub memory: Option<MemoryModel>,
    pub races: Option<Races>,
    /// Of a runtime: its own, or else those of the defaults.
    pub threads: Option<Vec<u16>>,
    /// Its own, or else those of the defaults.
    pub sanitizers: Option<Vec<Sanitizer>>,
}

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// C or C++ sources with a `main`.
    Program,
    /// A coroutine runtime behind an adapter, which executes task graphs.
    Runtime,
}

impl Project {
    /// The project of the nearest [`FILE_NAME`] in `from` or a directory above it, if there is one.
    ///
    /// # Errors
    /// The file is there and cannot be read, or something in it is wrong.
    pub fn find(from: &Path) -> Result<Option<Self>> {
        let start = fs::canonicalize(from)
            .with_context(|| format!("{}: cannot look for {FILE_NAME} from here", from.display()))?;
        for directory in start.ancestors() {
            let path = directory.join(FILE_NAME);
            // Not `exists`: a link that leads nowhere is a mistake to report, not a reason to look further up.
            match fs::symlink_metadata(&path) {
                Ok(_) => return Self::read(&path).map(Some),
                // Directories above may be closed to this user, who then has no project there.
                Err(error) if error.kind() == ErrorKind::PermissionDenied || paths::is_missing(&error) => {}
                Err(error) => return Err(anyhow!("{}: cannot look it up: {error}", path.display())),
            }
        }
        Ok(None)
    }

    /// The project of this file.
    ///
    /// # Errors
    /// The file cannot be read, or something in it is wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let here = env::current_dir().context("cannot tell the current directory; change to one that exists")?;
        Self::read_from(path, here)
    }

    /// As [`Project::read`], with paths that can be used from `here`, which is absolute and without links.
    fn read_from(path: &Path, here: PathBuf) -> Result<Self> {
        let name = path.file_name().with_context(|| format!("{}: not the name of a file", path.display()))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let root = fs::canonicalize(parent).with_context(|| format!("{}: cannot be read", path.display()))?;
        let place = Place { root, here };
        let absolute = place.root.join(name);
        let file = place.seen(Path::new(name));
        let document = Document::open(&absolute, &file)?;
        let (defaults, targets) = read::read(&document, &place)?;
        Ok(Self { root: place.seen(Path::new(".")), file, defaults, targets })
    }

    /// The target of that name.
    ///
    /// # Errors
    /// There is none; the error names the nearest name and all others.
    pub fn target(&self, name: &str) -> Result<&Entry> {
        self.targets.iter().find(|target| target.name == name).ok_or_else(|| self.no_target(name))
    }

    fn no_target(&self, name: &str) -> anyhow::Error {
        let file = self.file.display();
        if self.targets.is_empty() {
            return anyhow!("{file} names no targets; add one as [program.NAME] or [runtime.NAME] with its `sources`");
        }
        let names: Vec<&str> = self.targets.iter().map(|target| target.name.as_str()).collect();
        let wrong = quoted(name);
        match nearest::nearest(name, &names) {
            Some(right) => {
                let others: Vec<&str> = names.iter().copied().filter(|other| *other != right).collect();
                let others = if others.is_empty() { "nothing else".to_owned() } else { others.join(", ") };
                anyhow!("{file} names no target {wrong}; did you mean `{right}`? Beside it, the file names {others}")
            }
            None => anyhow!("{file} names no target {wrong}; choose from {}", names.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    /// A directory with these files, without links in its path.
    fn directory(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(directory.path()).expect("it exists");
        for (name, content) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("below the root")).expect("a directory");
            fs::write(path, content).expect("written");
        }
        (directory, root)
    }

    fn found(from: &Path) -> String {
        format!("{:#}", Project::find(from).expect_err("refused"))
    }

    #[test]
    fn the_nearest_file_upwards_is_found() {
        let (_guard, root) = directory(&[
            (FILE_NAME, "[defaults]\njobs = 1\n"),
            ("near/threadbare.toml", "[defaults]\njobs = 2\n"),
            ("near/deep/er/a.c", ""),
            ("far/a.c", ""),
        ]);
        let jobs = |from: &str| Project::find(&root.join(from)).expect("valid").expect("found").defaults.jobs;
        assert_eq!(jobs("near/deep/er"), Some(2));
        assert_eq!(jobs("near"), Some(2));
        assert_eq!(jobs("far"), Some(1));
        assert_eq!(jobs("far/a.c"), Some(1), "a file stands for its directory");
    }

    #[test]
    fn no_file_upwards_is_no_error() {
        assert_eq!(Project::find(Path::new("/")).expect("readable"), None);
    }

    #[test]
    fn a_directory_to_look_from_that_does_not_exist_is_named() {
        let told = found(Path::new("/nowhere/at/all"));
        assert!(told.starts_with("/nowhere/at/all: cannot look for threadbare.toml"), "{told}");
    }

    #[test]
    fn a_directory_a_pipe_a_socket_and_a_link_to_nowhere_are_refused_by_name_and_without_waiting() {
        let refused = |make: &dyn Fn(&Path), why: &str| {
            let (_guard, root) = directory(&[]);
            make(&root.join(FILE_NAME));
            let told = found(&root);
            assert!(told.contains(FILE_NAME) && told.contains(why), "{told}");
        };
        refused(&|path| fs::create_dir(path).expect("made"), "not a regular file");
        refused(&|path| drop(UnixListener::bind(path).expect("bound")), "not a regular file");
        refused(&|path| symlink("/dev/null", path).expect("linked"), "not a regular file");
        refused(&|path| symlink("nowhere", path).expect("linked"), "No such file");
        refused(
            &|path| assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success()),
            "not a regular file",
        );
    }

    #[test]
    fn a_link_to_a_regular_file_is_read_where_the_link_is() {
        let (_guard, root) = directory(&[("kept/real.toml", "[program.a]\nsources = [\"a.c\"]\n"), ("a.c", "")]);
        symlink("kept/real.toml", root.join(FILE_NAME)).expect("linked");
        let project = Project::read_from(&root.join(FILE_NAME), root.clone()).expect("valid");
        assert_eq!(project.targets[0].sources, [PathBuf::from("a.c")]);
    }

    #[test]
    fn an_empty_file_is_a_project_without_targets() {
        let (_guard, root) = directory(&[(FILE_NAME, "")]);
        let project = Project::read_from(&root.join(FILE_NAME), root.clone()).expect("valid");
        assert_eq!((project.root.as_path(), project.file.as_path()), (Path::new("."), Path::new(FILE_NAME)));
        assert_eq!((&project.defaults, project.targets.len()), (&Defaults::default(), 0));
        let told = project.target("a").expect_err("none").to_string();
        assert!(told.starts_with("threadbare.toml names no targets; add one as [program.NAME]"), "{told}");
    }

    #[test]
    fn a_target_is_found_by_its_name_and_a_wrong_name_is_told_the_right_ones() {
        let (_guard, root) = directory(&[
            (FILE_NAME, "[program.lost_update]\nsources = [\"a.c\"]\n[runtime.mine]\nsources = [\"a.cpp\"]\n"),
            ("a.c", ""),
            ("a.cpp", ""),
        ]);
        let project = Project::read_from(&root.join(FILE_NAME), root.clone()).expect("valid");
        assert_eq!(project.target("mine").expect("named").kind, Kind::Runtime);
        let told = |name| project.target(name).expect_err("none of that name").to_string();
        assert_eq!(
            told("lost-updat"),
            "threadbare.toml names no target `lost-updat`; did you mean `lost_update`? Beside it, the file names mine"
        );
        assert_eq!(told("x\n"), "threadbare.toml names no target `x\\n`; choose from lost_update, mine");
    }
}
