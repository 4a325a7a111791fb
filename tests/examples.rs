//! The programs in examples/check: each bug is found as its first comment says, and each repaired twin is clean.
//!
//! Run with `--ignored`, it measures: 20 searches for each bug, 20,000 schedules of each twin under every sanitizer.

#[path = "cli/command.rs"]
mod command;

use std::fs;
use std::path::{Path, PathBuf};

use command::{CLEAN, FOUND, Workplace, has_clang};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

/// Executions in which a bug must be found, and that a twin makes.
const EXECUTIONS: u64 = 500;
const TWIN_EXECUTIONS: u64 = 100;
const SEED: u64 = 1;

/// Of the measure.
const SEARCHES: u64 = 20;
const CAP: u64 = 5_000;
const LONG_TWIN_EXECUTIONS: u64 = 20_000;
const SANITIZERS: [&str; 3] = ["none", "thread", "address"];

/// What a check is told; without a memory model it takes those that it takes by default.
#[derive(Clone, Copy)]
struct How<'a> {
    sanitizer: &'a str,
    points: &'a str,
    memory: Option<&'a str>,
}

/// An example, and what its first comment says of it.
#[derive(Clone)]
struct Example {
    name: String,
    path: PathBuf,
    verdict: String,
    sanitizer: String,
    points: String,
    /// The memory model that shows it, if interleavings do not.
    memory: Option<String>,
    /// Of a bug.
    twin: PathBuf,
}

impl Example {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).expect("a source");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let line = |word: &str| {
            let prefix = format!("// {word}: ");
            text.lines().find_map(|line| line.strip_prefix(&*prefix)).map(str::to_owned)
        };
        let value = |word: &str| line(word).unwrap_or_else(|| panic!("{name} does not say its {word}"));
        let twin = line("twin").unwrap_or_else(|| name.replace('.', "_fixed."));
        Self {
            verdict: value("verdict"),
            sanitizer: value("sanitizer"),
            points: value("points"),
            memory: line("memory"),
            twin: path.with_file_name(twin),
            name,
            path,
        }
    }

    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/check");
        let paths = fs::read_dir(folder).expect("examples").map(|entry| entry.expect("a file").path());
        let is_source =
            |path: &PathBuf| path.extension().is_some_and(|extension| extension == "c" || extension == "cpp");
        let mut all: Vec<Self> = paths.filter(is_source).map(Self::read).collect();
        all.sort_by(|left, right| left.name.cmp(&right.name));
        all
    }

    fn is_twin(&self) -> bool {
        self.path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_fixed"))
    }

    /// Checks it in a place of its own, up to the first finding; what the JSON says, and the place.
    fn check(&self, how: How, executions: u64, seed: u64, code: i32) -> (Value, Workplace) {
        let place = Workplace::new();
        let How { sanitizer, points, memory } = how;
        let memory = memory.map(|memory| format!("--memory {memory}")).unwrap_or_default();
        let arguments = format!(
            "check --sanitizer {sanitizer} --points {points} {memory} --executions {executions} --seed {seed} --jobs 1 \
             --stop-at-first --json out.json"
        );
        place.run_in("", &arguments, &[&self.path.to_string_lossy()]).left_with(code);
        (place.json("out.json"), place)
    }

    /// As it says of itself that it is shown; with g++ and AddressSanitizer executions are interleavings, and ThreadSanitizer
    /// sees the same use of freed memory.
    fn shown(&self) -> How<'_> {
        let is_weak_address = self.memory.is_some() && self.sanitizer == "address";
        let sanitizer = if is_weak_address && !has_clang() { "thread" } else { &self.sanitizer };
        How { sanitizer, points: &self.points, memory: self.memory.as_deref() }
    }

    /// Searches for the bug. The executions that it took, and where the case is.
    fn search(&self, how: How, executions: u64, seed: u64) -> (u64, Workplace) {
        let (json, place) = self.check(how, executions, seed, FOUND);
        let finding = &json["findings"][0];
        let verdict = finding["verdict"].as_str().expect("a verdict");
        assert!(self.verdict.split(" or ").any(|expected| expected == verdict), "{verdict}, not {}", self.verdict);
        assert_eq!(finding["confirmed"], true, "{verdict} did not come again");
        (finding["execution"].as_u64().expect("a number"), place)
    }
}

fn bug_is_found(bug: &Example) -> Result<(), Failed> {
    if !bug.twin.is_file() {
        return Err("it has no twin".into());
    }
    bug.search(bug.shown(), EXECUTIONS, SEED);
    if bug.memory.is_some() {
        bug.check(How { memory: Some("sc"), ..bug.shown() }, EXECUTIONS, SEED, CLEAN);
    }
    Ok(())
}

fn twin_is_clean(twin: &Example) -> Result<(), Failed> {
    if twin.verdict != "clean" {
        return Err(format!("a twin is clean, not {}", twin.verdict).into());
    }
    let executions = if twin.memory.is_some() { EXECUTIONS } else { TWIN_EXECUTIONS };
    twin.check(How { points: "memory", ..twin.shown() }, executions, SEED, CLEAN);
    Ok(())
}

/// Prints a row for the bug, whose cases must replay.
fn measure_bug(bug: &Example) -> Result<(), Failed> {
    let mut took = Vec::new();
    for seed in 0..SEARCHES {
        let (executions, place) = bug.search(How { memory: None, ..bug.shown() }, CAP, seed);
        took.push(executions);
        place.run("replay findings --repeat 3 --jobs 1").left_with(CLEAN);
    }
    took.sort_unstable();
    let middle = took.len() / 2;
    let median = (took[middle - 1] + took[middle]) as f64 / 2.0;
    let mean = took.iter().sum::<u64>() as f64 / took.len() as f64;
    println!(
        "| {} | {} | found {} of {SEARCHES} | median {median} | mean {mean:.1} |",
        bug.name,
        bug.sanitizer,
        took.len()
    );
    Ok(())
}

fn measure_twin(twin: &Example) -> Result<(), Failed> {
    for sanitizer in SANITIZERS {
        let how = How { sanitizer, points: "memory", ..twin.shown() };
        let (json, _place) = twin.check(how, LONG_TWIN_EXECUTIONS, SEED, CLEAN);
        println!("| {} | {sanitizer} | clean | {} executions |", twin.name, json["executions"]);
    }
    Ok(())
}

fn main() {
    let mut trials = Vec::new();
    for example in Example::all() {
        let name = example.name.clone();
        let measured = example.clone();
        let test = if example.is_twin() { twin_is_clean } else { bug_is_found };
        let measure = if example.is_twin() { measure_twin } else { measure_bug };
        trials.push(Trial::test(name.clone(), move || test(&example)));
        trials.push(Trial::test(format!("measure {name}"), move || measure(&measured)).with_ignored_flag(true));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
