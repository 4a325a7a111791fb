//! Whether a case of a check, which somebody else may have written, stays within the project: replaying it must build and run
//! nothing but what lies there, with flags that have the compiler read and write nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Check;

/// What cases may build.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The directory of the project.
    root: PathBuf,
    /// What the project file says of its programs.
    own: Vec<Own>,
}

/// Sources and flags of a program that the user wrote.
#[derive(Clone, Debug)]
pub struct Own {
    pub sources: Vec<PathBuf>,
    pub flags: Vec<String>,
}

/// Flags as they are.
const WORDS: &[&str] = &[
    "-ansi",
    "-pedantic",
    "-pedantic-errors",
    "-pthread",
    "-rdynamic",
    "-w",
    "-nostdinc++",
    "-stdlib=libc++",
    "-stdlib=libstdc++",
    "-g",
    "-g0",
    "-g1",
    "-g2",
    "-g3",
    "-ggdb",
    "-ggdb2",
    "-ggdb3",
    "-gdwarf-4",
    "-gdwarf-5",
    "-gline-tables-only",
    "-mcx16",
    "-m64",
    "-fPIC",
    "-fpic",
    "-fPIE",
    "-fpie",
    "-pie",
    "-fcoroutines",
    "-fconcepts",
    "-fcommon",
    "-fexceptions",
    "-frtti",
    "-finline",
    "-finline-functions",
    "-fwrapv",
    "-ftrapv",
    "-fpermissive",
    "-fstrict-aliasing",
    "-fsigned-char",
    "-funsigned-char",
    "-fshort-enums",
    "-fshort-wchar",
    "-fbuiltin",
    "-fchar8_t",
    "-ffast-math",
    "-fmath-errno",
    "-fms-extensions",
    "-fomit-frame-pointer",
    "-foptimize-sibling-calls",
    "-fsized-deallocation",
    "-faligned-new",
    "-faligned-allocation",
    "-fthreadsafe-statics",
    "-funroll-loops",
    "-fvectorize",
    "-fslp-vectorize",
    "-ftree-vectorize",
    "-fsemantic-interposition",
    "-fplt",
    "-fassociative-math",
    "-fdelete-null-pointer-checks",
    "-fstrict-overflow",
    "-fasynchronous-unwind-tables",
    "-funwind-tables",
    "-fvisibility=default",
    "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
    "-ffunction-sections",
    "-fdata-sections",
    "-fstack-protector",
    "-fstack-protector-strong",
    "-fstack-protector-all",
    "-ffreestanding",
    "-fhosted",
    "-fopenmp-simd",
    "-fopenmp",
];

/// Flags that are followed by a word without a path in it.
const WITH_WORD: &[&str] = &[
    "-D",
    "-U",
    "-std=",
    "--std=",
    "-O",
    "-march=",
    "-mtune=",
    "-mcpu=",
    "-msse",
    "-mavx",
    "-ftemplate-depth=",
    "-fconstexpr-depth=",
    "-fconstexpr-steps=",
    "-fconstexpr-loop-limit=",
    "-fconstexpr-ops-limit=",
    "-fmax-errors=",
    "-ferror-limit=",
    "-fabi-version=",
    "-falign-functions=",
    "-ffp-contract=",
    "-ftrivial-auto-var-init=",
    "-fbracket-depth=",
];

/// Flags that are followed by a path, in the same word or the next.
const WITH_PATH: &[&str] = &["-isystem", "-iquote", "-idirafter", "-include", "-imacros", "-I", "-L"];

impl Trust {
    /// What lies in the project's directory, and what its file says of its programs.
    ///
    /// # Errors
    /// The directory cannot be found.
    pub fn new(root: &Path, own: Vec<Own>) -> Result<Self> {
        let root = fs::canonicalize(root).with_context(|| format!("cannot find {}", root.display()))?;
        Ok(Self { root, own })
    }

    /// What of the check reaches outside of the project, if anything does.
    ///
    /// # Errors
    /// There is no current directory.
    pub fn outside(&self, check: &Check) -> Result<Option<String>> {
        let directory = check.working_directory()?;
        let source = match self.own.iter().any(|own| own.sources == check.sources) {
            true => None,
            false => check.sources.iter().find(|source| !self.holds(&directory, source)),
        };
        if let Some(source) = source {
            return Ok(Some(format!("its source {}", source.display())));
        }
        // What the command line added comes after them.
        let own = self.own.iter().filter(|own| check.flags.starts_with(&own.flags)).map(|own| own.flags.len()).max();
        let flag = self.flag_outside(&directory, &check.flags[own.unwrap_or_default()..]);
        Ok(flag.map(|flag| format!("its flag `{flag}`")))
    }

    /// Whether a path, with its links followed, leads into the project, from outside of which nobody took it.
    fn holds(&self, directory: &Path, path: &Path) -> bool {
        fs::canonicalize(directory.join(path)).is_ok_and(|path| path.starts_with(&self.root))
    }

    fn flag_outside<'a>(&self, directory: &Path, flags: &'a [String]) -> Option<&'a str> {
        let mut flags = flags.iter();
        while let Some(flag) = flags.next() {
            if WORDS.contains(&flag.as_str()) || is_negated(flag) || is_warning(flag) || is_library(flag) {
                continue;
            }
            if let Some(option) = WITH_PATH.iter().find(|option| flag.starts_with(**option)) {
                let path = match &flag[option.len()..] {
                    "" => flags.next().map(String::as_str),
                    path => Some(path),
                };
                // `=` stands for the system's root.
                if path.is_some_and(|path| !path.starts_with(['=', '@']) && self.holds(directory, Path::new(path))) {
                    continue;
                }
            } else if let Some(option) = WITH_WORD.iter().find(|option| flag.starts_with(**option)) {
                let is_apart = flag.len() == option.len() && matches!(*option, "-D" | "-U");
                let word = if is_apart { flags.next().map_or("", String::as_str) } else { &flag[option.len()..] };
                // A macro may be anything: it is text for the compiler, as the sources are.
                let is_macro = matches!(*option, "-D" | "-U") && !(is_apart && word.starts_with(['-', '@']));
                if is_macro || (!is_apart && is_plain(word)) {
                    continue;
                }
            } else if flag == "-x" {
                if flags.next().is_some_and(|language| matches!(language.as_str(), "c" | "c++")) {
                    continue;
                }
            } else if !flag.starts_with(['-', '@']) && self.holds(directory, Path::new(flag)) {
                // An object or a library to link.
                continue;
            }
            return Some(flag);
        }
        None
    }
}

fn is_plain(word: &str) -> bool {
    word.chars().all(|character| character.is_ascii_alphanumeric() || "-_.+=".contains(character))
}

/// `-fno-` of a flag that may stand there.
fn is_negated(flag: &str) -> bool {
    flag.strip_prefix("-fno-").is_some_and(|name| WORDS.contains(&format!("-f{name}").as_str()))
}

/// With a comma it would be a flag for the linker, the assembler or the preprocessor.
fn is_warning(flag: &str) -> bool {
    flag.strip_prefix("-W").is_some_and(is_plain)
}

/// A library by its name, wherever the linker finds it.
fn is_library(flag: &str) -> bool {
    flag.strip_prefix("-l").is_some_and(|name| !name.is_empty() && is_plain(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Points;

    fn check(directory: &Path, source: &str, flags: &[&str]) -> Check {
        Check {
            directory: directory.to_owned(),
            sources: vec![source.into()],
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            arguments: Vec::new(),
            points: Points::Sync,
            injections: Vec::new(),
            test: None,
            recorded: None,
        }
    }

    /// A project with a source, a directory `include`, and a link `out` that leads away.
    fn project() -> (tempfile::TempDir, tempfile::TempDir) {
        let (root, other) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        fs::write(root.path().join("a.c"), "").expect("written");
        fs::write(other.path().join("b.c"), "").expect("written");
        fs::create_dir(root.path().join("include")).expect("made");
        std::os::unix::fs::symlink(other.path(), root.path().join("out")).expect("linked");
        (root, other)
    }

    #[test]
    fn flags_that_keep_to_the_project_need_no_trust() {
        let (root, _other) = project();
        let trust = Trust::new(root.path(), Vec::new()).expect("a project");
        for flags in [
            "-O2 -g -Wall -Wextra -Wno-error=unused -std=c++20 -pthread -lm -DN=3 -D M=\"a/b\" -UX",
            "-Iinclude -I include -I. -isystem include -L. -fno-exceptions -fno-rtti -march=native -x c++ a.c",
        ] {
            let flags: Vec<&str> = flags.split(' ').collect();
            assert_eq!(trust.outside(&check(root.path(), "a.c", &flags)).expect("known"), None, "{flags:?}");
        }
    }

    #[test]
    fn flags_that_run_programs_or_write_or_lead_away_are_named() {
        let (root, other) = project();
        let trust = Trust::new(root.path(), Vec::new()).expect("a project");
        let away = format!("-I{}", other.path().display());
        for flags in [
            "-B.",
            "-fuse-ld=./x",
            "-fplugin=./x.so",
            "-Xclang -load",
            "@a.c",
            "-wrapper ./x",
            "-specs=a.c",
            "--ld-path=./x",
            "-MF a.c",
            "-MD",
            "-save-temps",
            "-o a.c",
            "-Wl,-o,a.c",
            "-Wp,-MD,a.c",
            "-Wa,-a=a.c",
            "-Xlinker x",
            "-mllvm -x",
            "-fdump-tree-all",
            "-ftime-trace=x",
            "-fprofile-generate=x",
            "-fplugin-arg-x",
            "-fpass-plugin=x.so",
            "-gsplit-dwarf",
            "-I..",
            "-I/usr/include",
            "-Iout",
            "-L/tmp",
            "-include /etc/passwd",
            "-I",
            "-l:../x.so",
            "-l",
            "out/b.c",
            "-x ir",
            "-fmodules-cache-path=x",
            "-fcrash-diagnostics-dir=x",
            "--config=a.c",
            "-T a.c",
            "--sysroot=x",
            "-D -B.",
            "-D @a.c",
            "-fdebug-prefix-map=a=b",
            "-dumpdir x",
            "-O/../x",
            "-std=@x",
            "-I=include",
            "-fsanitize-blacklist=a.c",
            "-fno-plugin",
            &away,
        ] {
            let words: Vec<&str> = flags.split(' ').collect();
            let outside = trust.outside(&check(root.path(), "a.c", &words)).expect("known");
            assert!(outside.is_some_and(|what| what.starts_with("its flag")), "{flags}");
        }
    }

    #[test]
    fn sources_elsewhere_are_named_and_what_the_project_file_says_is_trusted() {
        let (root, other) = project();
        let away = other.path().join("b.c").display().to_string();
        let trust = Trust::new(root.path(), Vec::new()).expect("a project");
        for source in [&away, "out/b.c", "../b.c"] {
            let outside = trust.outside(&check(root.path(), source, &[])).expect("known");
            assert!(outside.is_some_and(|what| what.starts_with("its source")), "{source}");
        }
        let own = Own { sources: vec![away.clone().into()], flags: vec!["-fuse-ld=lld".to_owned()] };
        let trust = Trust::new(root.path(), vec![own]).expect("a project");
        let outside = |flags: &[&str]| trust.outside(&check(root.path(), &away, flags)).expect("known");
        assert_eq!(outside(&["-fuse-ld=lld", "-O1"]), None);
        assert!(outside(&["-O1", "-fuse-ld=lld"]).is_some());
        assert!(outside(&["-fuse-ld=lld", "-B."]).is_some());
    }
}
