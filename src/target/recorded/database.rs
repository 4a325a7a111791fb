//! compile_commands.json: with which flags a project's build compiles a source
//! (<https://clang.llvm.org/docs/JSONCompilationDatabase.html>).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::arguments::{Arguments, expanded};
use super::{Compiled, kept};

const FILE: &str = "compile_commands.json";
/// Options that a path follows, in the same word or the next; longer ones first.
const WITH_PATH: [&str; 8] =
    ["-isystem", "-iquote", "-idirafter", "-include", "-imacros", "-isysroot", "--sysroot=", "-I"];
/// Those where more of them for another source make no difference to it.
const SEARCHED: [&str; 4] = ["-isystem", "-iquote", "-idirafter", "-I"];

/// The commands of a build directory.
pub struct Database {
    path: PathBuf,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    directory: PathBuf,
    file: PathBuf,
    command: Option<String>,
    arguments: Option<Vec<String>>,
}

impl Database {
    /// Reads that in a directory.
    ///
    /// # Errors
    /// There is none, or it is broken.
    pub fn open(directory: &Path) -> Result<Self> {
        let path = directory.join(FILE);
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "cannot read {}; CMake writes it with -DCMAKE_EXPORT_COMPILE_COMMANDS=ON, Meson always",
                path.display()
            )
        })?;
        let entries = serde_json::from_str(&text).with_context(|| format!("{} is broken", path.display()))?;
        Ok(Self { path, entries })
    }

    /// The flags that hold for all of these sources, seen from here.
    ///
    /// # Errors
    /// One is not compiled there, or two are compiled differently.
    pub fn flags(&self, sources: &[PathBuf], is_clang: bool) -> Result<Vec<String>> {
        let mut all: Vec<String> = Vec::new();
        let mut first: Option<(&PathBuf, Vec<String>)> = None;
        for source in sources {
            let options = self.of(source, is_clang)?;
            let rest: Vec<String> = options.iter().filter(|option| !is_harmless(option)).cloned().collect();
            if let Some((other, others)) = &first {
                let differs =
                    others.iter().chain(&rest).find(|option| !others.contains(option) || !rest.contains(option));
                if let Some(option) = differs {
                    bail!(
                        "{} and {} are not compiled with the same flags (`{option}`); build the program with `threadbare cc` \
                         and `threadbare c++` and check the executable (docs/projects.md)",
                        other.display(),
                        source.display()
                    );
                }
            } else {
                first = Some((source, rest));
            }
            all.extend(options.into_iter().filter(|option| !all.contains(option)).collect::<Vec<_>>());
        }
        Ok(all)
    }

    /// With which options a source is compiled.
    fn of(&self, source: &Path, is_clang: bool) -> Result<Vec<String>> {
        let named = fs::canonicalize(source).with_context(|| format!("{}: no such file", source.display()))?;
        let is_it =
            |entry: &&Entry| fs::canonicalize(entry.directory.join(&entry.file)).is_ok_and(|file| file == named);
        let entry = self.entries.iter().find(is_it);
        let entry = entry.with_context(|| format!("{} does not compile {}", self.path.display(), source.display()))?;
        let words = match (&entry.arguments, &entry.command) {
            (Some(words), _) => words.clone(),
            (None, Some(command)) => {
                shlex::split(command).with_context(|| format!("{} is broken", self.path.display()))?
            }
            (None, None) => bail!("{} has no command for {}", self.path.display(), source.display()),
        };
        ensure!(!words.is_empty(), "{} has no command for {}", self.path.display(), source.display());
        let words = expanded(&words[1..], &entry.directory);
        let taken = Arguments::of(&words, true);
        let compiled = Compiled {
            directory: entry.directory.clone(),
            source: entry.file.clone(),
            language: String::new(),
            arguments: taken.others,
        };
        let kept = kept(&compiled, is_clang)?;
        Ok(absolute(kept, &entry.directory))
    }
}

/// Whether sources that differ in it can still be compiled with the flags of both.
fn is_harmless(option: &str) -> bool {
    option.starts_with("-std=") || SEARCHED.iter().any(|searched| option.starts_with(searched))
}

/// One word for each option with a path, which is seen from `directory`.
fn absolute(flags: Vec<String>, directory: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let mut flags = flags.into_iter().filter(|flag| flag != "-w");
    while let Some(flag) = flags.next() {
        let Some(option) = WITH_PATH.iter().find(|option| flag.starts_with(**option)) else {
            all.push(flag);
            continue;
        };
        let path = if flag.len() == option.len() { flags.next() } else { Some(flag[option.len()..].to_owned()) };
        let path = path.unwrap_or_default();
        let place = if path.starts_with('=') { path.into() } else { directory.join(path) };
        all.push(format!("{option}{}", place.display()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(entries: &str) -> (tempfile::TempDir, Database) {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["a.cpp", "b.cpp", "c.c"] {
            fs::write(directory.path().join(name), "").expect("written");
        }
        let text = entries.replace("DIR", &directory.path().display().to_string());
        fs::write(directory.path().join(FILE), text).expect("written");
        let database = Database::open(directory.path()).expect("readable");
        (directory, database)
    }

    #[test]
    fn flags_are_those_of_the_source_with_paths_that_hold_from_everywhere() {
        let (directory, database) = database(
            r#"[{"directory": "DIR", "file": "a.cpp", "command": "c++ -DX='a b' -Iinc -isystem /sys -O2 -Wall -std=c++17 -o a.o -c a.cpp"},
                {"directory": "DIR", "file": "DIR/c.c", "arguments": ["cc", "-DX=a b", "-Iother", "-std=c11", "-c", "DIR/c.c"]}]"#,
        );
        let place = directory.path().display();
        let flags = database.flags(&[directory.path().join("a.cpp"), directory.path().join("c.c")], true);
        let expected = [
            "-DX=a b",
            &format!("-I{place}/inc"),
            "-isystem/sys",
            "-std=c++17",
            &format!("-I{place}/other"),
            "-std=c11",
        ]
        .map(str::to_owned);
        assert_eq!(flags.expect("both are there"), expected);
        let told = database.flags(&[directory.path().join("b.cpp")], true).expect_err("it is not compiled").to_string();
        assert!(told.contains("does not compile") && told.contains("b.cpp"), "{told}");
    }

    #[test]
    fn sources_that_are_compiled_differently_are_refused_by_name() {
        let (directory, database) = database(
            r#"[{"directory": "DIR", "file": "a.cpp", "command": "c++ -DX -c a.cpp"},
                {"directory": "DIR", "file": "b.cpp", "command": "c++ -DY -c b.cpp"}]"#,
        );
        let sources = ["a.cpp", "b.cpp"].map(|name| directory.path().join(name));
        let told = database.flags(&sources, true).expect_err("they differ").to_string();
        assert!(told.contains("a.cpp") && told.contains("b.cpp") && told.contains("`-DX`"), "{told}");
    }
}
