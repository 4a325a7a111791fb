//! `threadbare export`: a case as a regression test that stands alone, of CMake and C++.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};

use super::world::World;
use crate::case::{Case, Workload};
use crate::model::verdict::Verdict;
use crate::model::word;
use crate::report::say;
use crate::terminal;
use crate::whole_file::write_whole;

const CMAKE: &str = include_str!("export/CMakeLists.txt.in");
const PLACES: &str = include_str!("export/case.hpp.in");
const VERIFY: &str = include_str!("export/verify.cpp.in");
const PLAIN: &str = include_str!("export/plain.cpp.in");
const GTEST: &str = include_str!("export/gtest.cpp.in");
/// Seconds that the test may take beyond those of its search, to build what it executes for instance.
const SPARE: u64 = 300;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare export found.case --output tests/lost_update         a program for ctest, with its CMakeLists.txt
  threadbare export found.case --output tests/x --framework gtest  a test of GoogleTest")]
pub struct Flags {
    /// A case that fails, with a schedule.
    case: PathBuf,
    /// The directory to write, which must not be there yet [default: the name of the case, with `-regression`].
    #[arg(long, value_name = "DIRECTORY")]
    output: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "plain")]
    framework: Framework,
    /// Executions of the search that follows the replay, each time the test runs.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    executions: u64,
    /// Seconds of the test: at most.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    budget: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Framework {
    /// A program that leaves with 0 or not.
    Plain,
    /// GoogleTest, with its `main`.
    Gtest,
}

pub fn run(flags: &Flags, world: &World) -> Result<()> {
    let case = Case::read(&flags.case)?;
    let named = flags.case.display();
    ensure!(case.verdict != Verdict::Clean, "{named}: the case is clean; export one that fails");
    ensure!(
        case.schedule.is_some(),
        "{named}: recorded without control, so there is no schedule to replay; find it again with another engine than free"
    );
    let stem = flags.case.file_stem().map_or_else(|| "case".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let directory = flags.output.clone().unwrap_or_else(|| PathBuf::from(format!("{stem}-regression")));
    let root = world.project()?.map_or_else(|| PathBuf::from("."), |project| project.root.clone());
    fs::create_dir_all(directory.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
        .and_then(|()| fs::create_dir(&directory))
        .with_context(|| {
            format!("cannot make {}; name a directory that is not there yet with `--output`", directory.display())
        })?;
    let filled = Filled::of(flags, &case, &stem, &directory, &root)?;
    for (name, text) in filled.files(flags.framework) {
        write_whole(&directory.join(name), text.as_bytes())?;
    }
    write_whole(&directory.join("found.case"), case.to_string().as_bytes())?;
    if let Workload::Check(check) = &case.workload
        && let Some(source) = check.sources.iter().find(|source| source.is_absolute())
    {
        terminal::complain(format_args!(
            "note: the case names {}, which is elsewhere on other machines; record it with a relative path to share it",
            source.display()
        ));
    }
    let folder = directory.display();
    say(format!(
        "{folder}: cmake -S {folder} -B {folder}/build && cmake --build {folder}/build && ctest --test-dir {folder}/build"
    ));
    Ok(())
}

/// What stands for each word in `@` of the templates.
struct Filled(Vec<(&'static str, String)>);

impl Filled {
    fn of(flags: &Flags, case: &Case, stem: &str, directory: &Path, root: &Path) -> Result<Self> {
        let target = identifier(stem);
        let failure = case.report.lines().next().unwrap_or_default();
        let test = target.clone();
        let framework = match flags.framework {
            Framework::Plain => format!("add_test(NAME {test} COMMAND {target})"),
            Framework::Gtest => format!(
                "find_package(GTest REQUIRED)\ntarget_link_libraries({target} PRIVATE GTest::gtest_main)\n\
                 add_test(NAME {test} COMMAND {target})\n\
                 set_tests_properties({test} PROPERTIES SKIP_REGULAR_EXPRESSION \"\\\\[  SKIPPED\")"
            ),
        };
        let include = match flags.framework {
            Framework::Plain => "#include <cstdio>\n",
            Framework::Gtest => "#include <gtest/gtest.h>\n",
        };
        let folder = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self(vec![
            ("@NAME@", comment(&format!("{} {}", word(&case.verdict), case.fingerprint))),
            ("@FOUND@", comment(failure)),
            ("@FOLDER@", comment(&folder)),
            ("@ROOT@", quoted(&way(directory, root)?)),
            ("@TARGET@", target),
            ("@TEST@", test),
            ("@FRAMEWORK@", framework),
            ("@INCLUDE@", include.to_owned()),
            ("@EXECUTIONS@", flags.executions.to_string()),
            ("@BUDGET@", flags.budget.to_string()),
            ("@TIMEOUT@", (flags.budget + SPARE).to_string()),
        ]))
    }

    fn files(&self, framework: Framework) -> [(&'static str, String); 3] {
        let test = if framework == Framework::Plain { PLAIN } else { GTEST };
        [
            ("CMakeLists.txt", self.fill(CMAKE)),
            ("case.hpp.in", PLACES.to_owned()),
            ("regression.cpp", self.fill(&format!("{VERIFY}{test}"))),
        ]
    }

    /// What is filled in is not looked through again.
    fn fill(&self, template: &str) -> String {
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(at) = rest.find('@') {
            filled.push_str(&rest[..at]);
            rest = &rest[at..];
            let known = self.0.iter().find(|(word, _)| rest.starts_with(word));
            let (taken, text) = known.map_or((1, "@"), |(word, text)| (word.len(), text.as_str()));
            filled.push_str(text);
            rest = &rest[taken..];
        }
        filled + rest
    }
}

/// Text that stays within a comment of one line: it may come from a case that somebody else wrote.
fn comment(text: &str) -> String {
    const LONGEST: usize = 200;
    terminal::in_line(text).replace('\\', "/").chars().take(LONGEST).collect()
}

/// A name for targets of CMake's and tests of C++.
fn identifier(text: &str) -> String {
    let mut name: String =
        text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        name.insert_str(0, "case_");
    }
    name
}

/// Text within quotes of CMake's.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars()
        .flat_map(|letter| matches!(letter, '\\' | '"' | '$').then_some('\\').into_iter().chain([letter]))
        .collect()
}

/// How one directory, which is there, is reached from another.
fn way(from: &Path, to: &Path) -> Result<PathBuf> {
    let whole = |path: &Path| fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()));
    let (from, to) = (whole(from)?, whole(to)?);
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    Ok(up.chain(to.components().skip(shared)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_fit_for_cmake_and_comments_keep_to_their_line() {
        assert_eq!(identifier("data-race-01.min"), "data_race_01_min");
        assert_eq!(identifier("2-x"), "case_2_x");
        let hostile = comment("a\nadd_custom_target(x ALL COMMAND rm) \\");
        assert!(!hostile.contains(['\n', '\\']), "{hostile}");
        assert_eq!(quoted(Path::new("../a \"$b\"")), "../a \\\"\\$b\\\"");
    }

    #[test]
    fn the_way_from_a_directory_to_the_project_is_relative() {
        let root = tempfile::tempdir().expect("a directory");
        let inner = root.path().join("tests/x");
        fs::create_dir_all(&inner).expect("made");
        assert_eq!(way(&inner, root.path()).expect("there"), Path::new("../.."));
        assert_eq!(way(root.path(), &inner).expect("there"), Path::new("tests/x"));
    }

    #[test]
    fn what_is_filled_in_is_not_looked_through_again() {
        let filled = Filled(vec![("@A@", "@B@".to_owned()), ("@B@", "x".to_owned())]);
        assert_eq!(filled.fill("@A@ @B@ @C@ a@b"), "@B@ x @C@ a@b");
    }
}
