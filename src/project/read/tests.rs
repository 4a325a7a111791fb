//! What project files may say, and what is told about each mistake.

mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::model::schedule::Injection;
use crate::model::settings::{Sanitizer, StrategyName};
use crate::project::{Defaults, FILE_NAME, Kind, Project};
use crate::target::Points;

/// A directory of sources.
struct Sandbox {
    _guard: tempfile::TempDir,
    root: PathBuf,
}

impl Sandbox {
    fn new() -> Self {
        let guard = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(guard.path()).expect("it exists");
        let sandbox = Self { _guard: guard, root };
        for file in ["src/lost_update.c", "src/b.c", "src/deep/c.c", "src/.hidden.c", "adapter.cpp", "tools/clang++"] {
            sandbox.add(file);
        }
        for directory in ["include", "tests/corpus"] {
            fs::create_dir_all(sandbox.root.join(directory)).expect("made");
        }
        sandbox
    }

    fn add(&self, file: impl AsRef<Path>) {
        let path = self.root.join(file);
        fs::create_dir_all(path.parent().expect("below the root")).expect("made");
        fs::write(path, "").expect("written");
    }

    fn read_from(&self, here: &str, text: &str) -> Result<Project> {
        let path = self.root.join(FILE_NAME);
        fs::write(&path, text).expect("written");
        fs::create_dir_all(self.root.join(here)).expect("made");
        Project::read_from(&path, fs::canonicalize(self.root.join(here)).expect("it exists"))
    }

    fn read(&self, text: &str) -> Project {
        self.read_from("", text).unwrap_or_else(|error| panic!("{text}\n{error:#}"))
    }

    fn told(&self, text: &str) -> String {
        let told = format!("{:#}", self.read_from("", text).expect_err(text));
        assert!(!told.contains('\n'), "{told:?}");
        told
    }

    /// The sources of a program that has this list of them.
    fn sources(&self, list: &str) -> Vec<String> {
        let project = self.read(&format!("[program.a]\nsources = {list}\n"));
        project.targets[0].sources.iter().map(|path| path.display().to_string()).collect()
    }
}

/// Compares what is told about each mistake; every text begins on line 1.
fn mistakes(cases: &[(&str, &str)]) {
    let sandbox = Sandbox::new();
    for (text, told) in cases {
        assert_eq!(sandbox.told(text), format!("threadbare.toml:{told}"), "{text}");
    }
}

/// A program that is right but for this line, its third.
fn program(line: &str) -> String {
    format!("[program.a]\nsources = [\"src/b.c\"]\n{line}\n")
}

/// As [`mistakes`], of the third line of a program.
fn mistakes_in_programs(cases: &[(&str, &str)]) {
    let sandbox = Sandbox::new();
    for (line, told) in cases {
        assert_eq!(sandbox.told(&program(line)), format!("threadbare.toml:3: {told}"), "{line}");
    }
}

const WHOLE: &str = r#"
[defaults]
cxx = "clang++-22"
sanitizers = ["none", "thread", "none"]
threads = [1, 2, 0x4]
jobs = 2
findings = "findings"
cases = ["tests/corpus"]

[runtime.mine]
sources = ["adapter.cpp"]
threads = [8]

[program.lost_update]
sources = ["src/lost_update.c"]
include = ["include", "/usr"]
flags = ["-O1", "-DSIZE=3"]
standard = "c17"
arguments = ["3", ""]
inject = ["spurious-wake-up"]
points = "memory"
strategy = "pct:3"
sanitizers = ["address"]

[runtime.other]
sources = ["adapter.cpp"]
"#;

#[test]
fn every_key_is_read() {
    let project = Sandbox::new().read(WHOLE);
    let defaults = Defaults {
        cxx: Some("clang++-22".into()),
        sanitizers: Some(vec![Sanitizer::None, Sanitizer::Thread]),
        threads: Some(vec![1, 2, 4]),
        jobs: Some(2),
        findings: Some("findings".into()),
        cases: Some(vec!["tests/corpus".into()]),
    };
    assert_eq!(project.defaults, defaults);
    let program = project.target("lost_update").expect("named");
    assert_eq!((program.kind, program.place.as_str()), (Kind::Program, "threadbare.toml:14"));
    assert_eq!(program.sources, [PathBuf::from("src/lost_update.c")]);
    assert_eq!(program.flags, ["-std=c17", "-Iinclude", "-I/usr", "-O1", "-DSIZE=3"]);
    assert_eq!(program.arguments, ["3", ""]);
    assert_eq!(program.inject, [Injection::SpuriousWakeUp]);
    assert_eq!((program.points, program.strategy), (Some(Points::Memory), Some(StrategyName::PctOf(3))));
    assert_eq!((&program.sanitizers, &program.threads), (&Some(vec![Sanitizer::Address]), &None));
}

#[test]
fn targets_keep_the_order_of_the_file_and_take_what_they_lack_from_the_defaults() {
    let project = Sandbox::new().read(WHOLE);
    let names: Vec<&str> = project.targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["mine", "lost_update", "other"]);
    assert_eq!(project.targets[0].threads, Some(vec![8]));
    assert_eq!(project.targets[2].threads, Some(vec![1, 2, 4]));
    assert_eq!(project.targets[2].sanitizers, Some(vec![Sanitizer::None, Sanitizer::Thread]));
}

#[test]
fn paths_can_be_used_from_directories_below_and_above_the_file() {
    let sandbox = Sandbox::new();
    let below = sandbox.read_from("src/deep", WHOLE).expect("valid");
    assert_eq!((below.root.as_path(), below.file.as_path()), (Path::new("../.."), Path::new("../../threadbare.toml")));
    assert_eq!(below.defaults.findings, Some("../../findings".into()));
    let program = below.target("lost_update").expect("named");
    assert_eq!(program.sources, [PathBuf::from("src/lost_update.c")]);
    assert_eq!(program.flags[1], "-Iinclude");
    assert_eq!(program.place, "../../threadbare.toml:14");
    let above = sandbox.read_from("..", WHOLE).expect("valid");
    assert_eq!(above.root, Path::new(sandbox.root.file_name().expect("a name")));
    assert!(above.file.is_relative());
    assert_eq!((&above.targets[1].sources, &above.targets[1].flags), (&program.sources, &program.flags));
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_key() {
    mistakes(&[
        (
            "[defaults]\n\n\n\n\n[program.lost_update]\nsoruces = []\n",
            "7: unknown key `soruces` in [program.lost_update]; did you mean `sources`?",
        ),
        ("[defaults]\nCXX = \"g++\"\n", "2: unknown key `CXX` in [defaults]; did you mean `cxx`?"),
        (
            "[defaults]\nwhatever = 1\n",
            "2: unknown key `whatever` in [defaults]; write threads, sanitizers, cxx, jobs, findings or cases",
        ),
        ("[runtime.mine]\nstd = \"c++20\"\n", "2: unknown key `std` in [runtime.mine]; did you mean `standard`?"),
        ("[program.a]\n\"so\\n\" = 1\nsources = 1\n", {
            "2: unknown key `so\\n` in [program.a]; write sources, include, standard, flags, arguments, each-test, tests, inject, points, \
             strategy, memory, races or sanitizers"
        }),
        ("[program.a.b]\n", {
            "1: unknown key `b` in [program.a]; write sources, include, standard, flags, arguments, each-test, tests, inject, points, \
             strategy, memory, races or sanitizers"
        }),
    ]);
}

#[test]
fn a_key_in_the_wrong_table_is_told_the_right_one() {
    mistakes(&[
        (
            "[program.a]\nthreads = [1]\n",
            "2: `threads` is no key of [program.a]; it belongs in [defaults] or [runtime.NAME]",
        ),
        ("[runtime.a]\narguments = []\n", "2: `arguments` is no key of [runtime.a]; it belongs in [program.NAME]"),
        (
            "[defaults]\nflags = []\n",
            "2: `flags` is no key of [defaults]; it belongs in [program.NAME] or [runtime.NAME]",
        ),
        ("jobs = 2\n", "1: `jobs` is in no table; it belongs in [defaults]"),
        ("[program]\nsources = [\"a.c\"]\n", {
            "2: `sources` in [program] is a list; put it under [program.NAME], with a name for the target"
        }),
    ]);
}

#[test]
fn an_unknown_table_is_named_with_the_nearest() {
    mistakes(&[
        ("\n[programs.a]\n", "2: unknown table `programs`; did you mean `program`?"),
        ("[default]\n", "1: unknown table `default`; did you mean `defaults`?"),
        ("[x]\n", "1: unknown table `x`; write [defaults], [program.NAME] or [runtime.NAME]"),
        ("program = 3\n", "1: `program` is a number; write a table, [program.NAME]"),
        ("[[defaults]]\n", "1: `defaults` is a list; write a table, [defaults]"),
        ("[[program.a]]\n", "1: `a` in [program] is a list; write the table [program.a] once"),
        ("[program]\na = \"a.c\"\n", "2: `a` in [program] is text; write a table, [program.a]"),
    ]);
}

#[test]
fn a_value_of_the_wrong_type_is_told_the_right_one_with_an_example() {
    mistakes_in_programs(&[
        ("flags = \"-O1\"", "`flags` is text; write a list of texts, such as `flags = [\"-O1\"]`"),
        (
            "arguments = [3]",
            "`arguments` has an entry that is a number; write a list of texts, such as `arguments = [\"3\"]`",
        ),
        ("points = true", "`points` is true or false; write text, such as `points = \"memory\"`"),
        ("strategy = 1979-05-27", "`strategy` is a date or time; write text, such as `strategy = \"portfolio\"`"),
        ("inject = {}", "`inject` is a table; write a list of texts, such as `inject = [\"spurious-wake-up\"]`"),
        ("standard = 20", "`standard` is a number; write text, such as `standard = \"c++20\"`"),
    ]);
    mistakes(&[
        ("[defaults]\njobs = \"2\"\n", "2: `jobs` is text; write a number, such as `jobs = 2`"),
        ("[defaults]\njobs = 2.5\n", "2: `jobs` is a fraction; write a number, such as `jobs = 2`"),
        (
            "[defaults]\nthreads = 2\n",
            "2: `threads` is a number; write a list of numbers, such as `threads = [1, 2, 4]`",
        ),
        ("[defaults]\nthreads = [\n1,\n\"2\"]\n", {
            "4: `threads` has an entry that is text; write a list of numbers, such as `threads = [1, 2, 4]`"
        }),
    ]);
}

#[test]
fn a_word_that_is_none_of_those_known_is_told_the_nearest_or_all() {
    mistakes_in_programs(&[
        ("sanitizers = [\"thraed\"]", "`thraed` is no sanitizer; did you mean `thread`?"),
        ("sanitizers = [\"none\", \"tsan\"]", "`tsan` is no sanitizer; did you mean `thread`?"),
        ("sanitizers = [\"leak\"]", "`leak` is no sanitizer; write none, thread or address"),
        ("points = \"all\"", "`all` is no choice of points; write sync or memory"),
        ("inject = [\"spurious_wakeup\"]", "`spurious_wakeup` is no injection; did you mean `spurious-wake-up`?"),
        (
            "inject = [\"enospc\"]",
            "`enospc` is no injection; write spurious-wake-up, weak-failure, short-read, short-write, eintr or reset",
        ),
        ("standard = \"C17\"", "`C17` is no standard; did you mean `c17`?"),
        ("standard = \"-std=c17\"", "`-std=c17` is no standard; did you mean `c17`?"),
        ("standard = \"ansi\"", "`ansi` is no standard; write one as after -std=, such as c++20 or c17"),
    ]);
}

#[test]
fn a_standard_of_another_language_than_a_source_is_refused() {
    mistakes_in_programs(&[(
        "standard = \"c++20\"",
        "`c++20` is a standard of C++, which src/b.c by its name is not; choose another, or leave out `standard`",
    )]);
    let text = "[runtime.a]\nsources = [\"adapter.cpp\"]\nstandard = \"gnu++2b\"\n";
    assert_eq!(Sandbox::new().read(text).targets[0].flags, ["-std=gnu++2b"]);
}

#[test]
fn numbers_have_bounds_that_are_told() {
    for number in ["0", "257", "-1", "70000", "9223372036854775807"] {
        mistakes(&[(
            &format!("[defaults]\nthreads = [1, {number}]\n"),
            &format!("2: `{number}` in `threads` is out of bounds; write 1 to 256"),
        )]);
    }
    mistakes(&[
        ("[defaults]\njobs = 0\n", "2: `0` in `jobs` is out of bounds; write 1 to 1024"),
        ("[defaults]\njobs = 0x401\n", "2: `0x401` in `jobs` is out of bounds; write 1 to 1024"),
    ]);
    let text = "[defaults]\nthreads = [256, 1, 256]\njobs = 1024\n";
    assert_eq!(Sandbox::new().read(text).defaults.threads, Some(vec![256, 1]));
}

#[test]
fn what_is_empty_and_must_not_be_is_refused() {
    mistakes(&[
        ("[program.a]\n", "1: [program.a] has no `sources`; add it, such as `sources = [\"src/*.cpp\"]`"),
        ("[program.a]\nsources = []\n", "2: `sources` is empty; write a value, such as `sources = [\"src/*.cpp\"]`"),
        ("[defaults]\nthreads = []\n", "2: `threads` is empty; write a value, such as `threads = [1, 2, 4]`"),
        ("[defaults]\ncxx = \"\"\n", "2: `cxx` is empty; write a value, such as `cxx = \"clang++-22\"`"),
    ]);
    mistakes_in_programs(&[
        ("flags = [\"\"]", "`flags` has an entry that is empty; write a value, such as `flags = [\"-O1\"]`"),
        ("sanitizers = []", "`sanitizers` is empty; write a value, such as `sanitizers = [\"none\", \"thread\"]`"),
    ]);
    let project = Sandbox::new().read(&program("flags = []\ninclude = []\narguments = []\ninject = []"));
    assert!(project.targets[0].flags.is_empty() && project.targets[0].inject.is_empty());
}

#[test]
fn a_text_that_no_program_can_be_given_is_refused() {
    mistakes_in_programs(&[
        ("flags = [\"a\\u0000b\"]", "`flags` has a zero character, where C ends a string; leave it out"),
        (&format!("arguments = [\"{}\"]", "a".repeat(4097)), {
            "`arguments` has a text of 4097 bytes; write at most 4096"
        }),
    ]);
}

#[test]
fn a_compiler_is_a_name_on_path_or_a_path_that_can_be_used_from_here() {
    let sandbox = Sandbox::new();
    let cxx = |here, written: &str| {
        let text = format!("[defaults]\ncxx = \"{written}\"\n");
        sandbox.read_from(here, &text).expect("valid").defaults.cxx.expect("written").display().to_string()
    };
    assert_eq!(cxx("src", "clang++-22"), "clang++-22");
    assert_eq!(cxx("src", "tools/clang++"), "../tools/clang++");
    assert_eq!(cxx("tools", "tools/clang++"), "./clang++", "not one on PATH");
}

#[test]
fn a_name_is_a_plain_word_that_no_other_target_has() {
    let plain = "cannot name a target; write letters, digits, `-` and `_`, and begin with no `-`";
    let source = "sources = [\"src/b.c\"]";
    for name in ["", "a b", "a.b", "é", "-a", "a/b"] {
        mistakes(&[(&format!("[program.\"{name}\"]\n{source}\n"), &format!("1: `{name}` {plain}"))]);
    }
    mistakes(&[
        (&format!("[program.x]\n{source}\n\n[runtime.x]\n{source}\n"), {
            "4: `x` is the name of a program already, at line 1; rename one of them"
        }),
        (&format!("[runtime.bundled]\n{source}\n"), {
            "1: `bundled` is a name that threadbare itself uses in cases; choose another"
        }),
    ]);
    let long = "a".repeat(65);
    mistakes(&[(
        &format!("[program.{long}]\n{source}\n"),
        &format!("1: `{long}` is too long a name; write at most 64 letters"),
    )]);
    let names = Sandbox::new().read(&format!("[program.2-x_Y]\n{source}\n[program._]\n{source}\n"));
    assert_eq!(names.targets.len(), 2);
}

#[test]
fn no_beginning_of_a_file_and_no_change_of_one_byte_makes_it_panic() {
    let sandbox = Sandbox::new();
    for end in (0..WHOLE.len()).step_by(3) {
        let _ = sandbox.read_from("", &WHOLE[..end]);
        for byte in ["\"", "[", "]", "=", ".", "\n", "*", "\0", "é"] {
            let _ = sandbox.read_from("", &format!("{}{byte}{}", &WHOLE[..end], &WHOLE[end + 1..]));
        }
    }
}
