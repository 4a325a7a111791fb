//! Programs under check: loaded once, executed many times, each time as at the start of a process.
//!
//! The programs are those in tests/images/. Their first comment says what they prove, and how they may end: all of these
//! endings must come, and no other. `races` says that accesses race, which ThreadSanitizer is to report.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::harness::{Loads, Test, controlled_engines, has_fibers, object, open, settings};
use tempfile::TempDir;
use threadbare::check::{self, Check};
use threadbare::control::{Loading, Mode, Session, loaded_sanitizer};
use threadbare::model::execution::{Ending, Execution, Exit};
use threadbare::model::schedule::Schedule;
use threadbare::model::settings::{Engine, Sanitizer, Settings, StrategyName};
use threadbare::target::Points;

const STEP_BUDGET: u64 = 100_000;
const EXPECTED_POINTS: u64 = 30;
/// Executions of a program that does not say how many.
const EXECUTIONS: u64 = 100;
/// Schedules that each engine records and the other replays.
const REPLAYS: u64 = 200;
/// Programs whose threads have all ended at the end, so that every engine can go on after each execution.
const REPLAYED: [&str; 9] = [
    "globals.c",
    "nested_operations.c",
    "plain_accesses.c",
    "queue.cpp",
    "random_numbers.cpp",
    "signal_delivery.cpp",
    "signal_masks.cpp",
    "threads_in_threads.cpp",
    "waits_in_rounds.cpp",
];

/// A source, and what its first comment says.
struct Program {
    name: String,
    source: PathBuf,
    text: String,
}

impl Program {
    fn read(name: &str) -> Self {
        let source = images().join(name);
        let text = fs::read_to_string(&source).expect("a source");
        Self { name: name.to_owned(), source, text }
    }

    /// How it is built.
    fn loads(&self, points: Points) -> Loads {
        let flags = self.values("flags").flat_map(str::split_whitespace).map(str::to_owned).collect();
        let sources = vec![self.source.clone()];
        let (arguments, directory) = (vec![], PathBuf::new());
        let check =
            Check { directory, sources, flags, arguments, points, injections: Vec::new(), test: None, recorded: None };
        Loads::Target(check.target().expect("a directory"))
    }

    /// What follows each `word:` in the comment.
    fn values<'a>(&'a self, word: &str) -> impl Iterator<Item = &'a str> {
        let prefix = format!("// {word}: ");
        self.text.lines().filter_map(move |line| line.strip_prefix(&*prefix))
    }

    fn endings(&self, points: Points) -> BTreeSet<String> {
        let memory = points == Points::Memory;
        // g++ cannot combine it with AddressSanitizer.
        let instrumented = memory && (has_fibers() || loaded_sanitizer() != Sanitizer::Address);
        let more = self.values("ending with memory points").filter(|_| memory);
        let most = self.values("ending with thread instrumentation").filter(|_| instrumented);
        self.values("ending").chain(more).chain(most).map(str::to_owned).collect()
    }

    fn executions(&self) -> u64 {
        self.values("executions").next().map_or(EXECUTIONS, |number| number.parse().expect("a number"))
    }

    /// Whether it is for the machine that this is.
    fn is_for_this_machine(&self) -> bool {
        self.values("only").all(|machine| machine == std::env::consts::ARCH)
    }

    fn races(&self) -> bool {
        self.text.lines().any(|line| line == "// races")
    }
}

fn images() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images")
}

/// A program that is compiled.
struct Built {
    program: Program,
    object: PathBuf,
    folder: TempDir,
}

impl Built {
    /// The one that was built for this test.
    fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { program: Program::read(name), object: object(), folder }
    }

    /// The program in a new session. Each loads a copy, since an object is made ready once, while it is loaded.
    fn load(&self, engine: Engine) -> Session {
        let copy = tempfile::Builder::new().tempfile_in(self.folder.path()).expect("a file").into_temp_path();
        fs::copy(&self.object, &copy).expect("copied");
        let settings = Settings { runtime: check::RUNTIME.to_owned(), ..settings(engine, StrategyName::Random) };
        let mut session = open(&settings, Loading::Later);
        session.load_image(&copy, &[]).expect("it loads");
        session
    }

    /// The ending of an execution, in which nothing may be reported that is right.
    fn ending(&self, execution: &Execution) -> String {
        let may_report = loaded_sanitizer() == Sanitizer::Thread && self.program.races();
        assert!(may_report || execution.reports == 0, "{}: a false report", self.program.name);
        word(&execution.ending)
    }
}

fn word(ending: &Ending) -> String {
    match ending {
        Ending::Exited(Exit::Status(status)) => format!("status {status}"),
        Ending::Exited(Exit::FailedAssertion(what)) => {
            format!("assertion {}", what.rsplit_once('/').map_or(what.as_str(), |(_, name)| name))
        }
        Ending::Exited(Exit::UncaughtException(name)) => format!("exception {name}"),
        Ending::Exited(Exit::Aborted) => "aborted".to_owned(),
        Ending::Exited(Exit::Signal(name)) => format!("signal {name}"),
        Ending::Misused { thread, primitive, how } => format!("misuse by thread {thread}: {primitive} {how}"),
        Ending::Dangling { thread, primitive, how } => format!("dangling in thread {thread}: {primitive} {how}"),
        // Which numbers descriptors have depends on who else in the process has some.
        Ending::Stuck(threads) if threads.iter().any(|thread| thread.descriptor.is_some()) => ending.to_string(),
        other => format!("{other:?}"),
    }
}

fn explore(session: &mut Session, seed: u64) -> &Execution {
    session.execute_image(seed, Mode::Explore { seed }, STEP_BUDGET, EXPECTED_POINTS)
}

fn every_ending_comes_and_no_other(name: &str, points: Points) {
    let built = Built::of(name);
    let expected = built.program.endings(points);
    for engine in controlled_engines() {
        let mut session = built.load(engine);
        let (mut endings, mut reports) = (BTreeSet::new(), 0);
        for seed in 0..built.program.executions() {
            let execution = explore(&mut session, seed);
            reports += execution.reports;
            endings.insert(built.ending(execution));
            if session.is_spent() {
                break;
            }
        }
        // A session that is spent has not seen all.
        let complete = session.is_spent() && endings.is_subset(&expected) || endings == expected;
        assert!(complete, "{name}, {engine:?}, points {points:?}: {endings:?} in place of {expected:?}");
        let missed = loaded_sanitizer() == Sanitizer::Thread && built.program.races() && reports == 0;
        assert!(!missed, "{name}, {engine:?}, points {points:?}: no race was reported");
    }
}

/// What one execution came to, which is the same wherever its schedule is executed.
#[derive(Debug, PartialEq)]
struct Run {
    ending: String,
    points: u64,
    schedule: Schedule,
}

impl Run {
    fn last(built: &Built, execution: Execution, session: &Session) -> Self {
        Self { ending: built.ending(&execution), points: execution.points, schedule: session.schedule() }
    }
}

fn schedules_replay_on_every_engine(name: &str, points: Points) {
    let built = Built::of(name);
    let mut sessions: Vec<Session> = controlled_engines().into_iter().map(|engine| built.load(engine)).collect();
    let mut different = BTreeSet::new();
    for seed in 0..REPLAYS {
        // With two engines, each records half of the schedules.
        let recording = seed as usize % sessions.len();
        let execution = explore(&mut sessions[recording], seed).clone();
        let recorded = Run::last(&built, execution, &sessions[recording]);
        for session in &mut sessions {
            let execution = session.execute_image(seed, Mode::Replay(&recorded.schedule), STEP_BUDGET, EXPECTED_POINTS);
            let execution = execution.clone();
            assert_eq!(Run::last(&built, execution, session), recorded, "{name}, points {points:?}, seed {seed}");
        }
        different.insert(format!("{:?}", recorded.schedule));
    }
    assert!(different.len() > 2, "{name}, points {points:?}: {} schedules only", different.len());
}

pub fn tests() -> Vec<Test> {
    let mut names: Vec<String> = fs::read_dir(images())
        .expect("programs")
        .map(|entry| entry.expect("a file").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    assert!(REPLAYED.iter().all(|replayed| names.iter().any(|name| name == replayed)), "a program is gone");
    let mut tests = Vec::new();
    for name in names.into_iter().filter(|name| Program::read(name).is_for_this_machine()) {
        for points in Points::ALL {
            let word = points.word();
            let loads = Program::read(&name).loads(points);
            if REPLAYED.contains(&&*name) {
                let (name, title) = (name.clone(), &name);
                tests.push(Test::new(
                    format!("{title} replays on every engine, points {word}"),
                    loads.clone(),
                    move || {
                        schedules_replay_on_every_engine(&name, points);
                    },
                ));
            }
            let (name, title) = (name.clone(), &name);
            tests.push(Test::new(format!("{title} ends as it says, points {word}"), loads, move || {
                every_ending_comes_and_no_other(&name, points);
            }));
        }
    }
    tests
}
