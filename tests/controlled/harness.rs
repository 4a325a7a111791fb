//! What tests of controlled executions share: a process for each test and sanitizer, sessions, and what came of an
//! execution.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use threadbare::control::{Loading, Session, loaded_sanitizer};
use threadbare::model::execution::{Ending, Execution};
use threadbare::model::settings::{Engine, MemoryModel, Races, Sanitizer, Settings, StrategyName};
use threadbare::process;
use threadbare::protocol::Trace;
use threadbare::target::cache::Cache;
use threadbare::target::{Kind, Target, Toolchain, Workshop};

/// Each test runs in a process of its own, which is this executable with this variable naming the test: a
/// process holds one session at a time, a stopped execution spends it, and under TSan no other Rust thread
/// may be about (uninstrumented, it would show as racing).
const TEST: &str = "THREADBARE_CONTROL_TEST";
/// Tells it what was built for it, and whether that can run on fibers.
const OBJECT: &str = "THREADBARE_CONTROL_OBJECT";
const FIBERS: &str = "THREADBARE_CONTROL_FIBERS";

/// Where files are kept in memory, if the system has such a place: an `fsync` on a disk takes milliseconds.
const MEMORY: &str = "/dev/shm";

pub const SANITIZERS: [Sanitizer; 3] = [Sanitizer::None, Sanitizer::Thread, Sanitizer::Address];

/// What a test loads.
#[derive(Clone)]
pub enum Loads {
    /// The bundled runtime, with that bug or none.
    Runtime(Option<&'static str>),
    /// C++ functions of cpp/probes/, in these files.
    Probes(&'static [&'static str]),
    /// Any target.
    Target(Target),
    Nothing,
}

/// The probes of primitives, and the scenarios of the five systems.
pub const PROBES: Loads =
    Loads::Probes(&["probes.cpp", "file_probes.cpp", "library_probes.cpp", "lock_probes.cpp", "thread_probes.cpp"]);
pub const SCENARIOS: Loads = Loads::Probes(&[
    "scenarios/scenario.cpp",
    "scenarios/transfer.cpp",
    "scenarios/ownership.cpp",
    "scenarios/context.cpp",
    "scenarios/registry.cpp",
    "scenarios/lease.cpp",
]);

pub struct Test {
    pub name: String,
    pub loads: Loads,
    pub sanitizers: Vec<Sanitizer>,
    pub body: Box<dyn Fn()>,
}

impl Test {
    /// Runs under every sanitizer.
    pub fn new(name: impl Into<String>, loads: Loads, body: impl Fn() + 'static) -> Self {
        Self { name: name.into(), loads, sanitizers: SANITIZERS.into(), body: Box::new(body) }
    }

    /// Runs under these.
    pub fn under(self, sanitizers: &[Sanitizer]) -> Self {
        Self { sanitizers: sanitizers.into(), ..self }
    }
}

/// The compiler of this run, and what it has built for tests.
pub fn workshop() -> Workshop {
    let toolchain = Toolchain::find(None).expect("a compiler");
    let cache = Cache::at(Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")).expect("a cache");
    Workshop::with(toolchain, cache, std::thread::available_parallelism().map_or(1, usize::from)).expect("a workshop")
}

impl Loads {
    pub fn target(&self, workshop: &Workshop) -> Option<Target> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        match self {
            Self::Runtime(bug) => Some(workshop.runtime("bundled", *bug).expect("a seeded bug")),
            Self::Probes(files) => Some(Target {
                name: "probes".to_owned(),
                kind: Kind::Runtime(Races::Off),
                directory: here.to_owned(),
                sources: files.iter().map(|file| Path::new("cpp/probes").join(file)).collect(),
                shared: Vec::new(),
                flags: vec!["-Icpp".to_owned()],
            }),
            Self::Target(target) => Some(target.clone()),
            Self::Nothing => None,
        }
    }
}

/// Tests of one target, by its name. They are listed only where they are asked for.
pub type Group = (&'static str, fn() -> Vec<Test>);

/// Runs the tests of the groups and `more`, or in a process of its own the one test that it is for.
pub fn run(groups: &[Group], more: fn(&Arc<Workshop>) -> Vec<Trial>) -> ! {
    if let Ok(name) = std::env::var(TEST) {
        let (group, name) = name.split_once("::").expect("the name of a group");
        let (_, tests) = groups.iter().find(|(known, _)| *known == group).expect("a group of that name");
        let test = tests().into_iter().find(|test| test.name == name).expect("a test of that name");
        (test.body)();
        // A spent session leaves threads behind that cannot be ended in order.
        process::end_now(0);
    }
    let workshop = Arc::new(workshop());
    let mut trials = more(&workshop);
    let all = groups.iter().flat_map(|(group, tests)| tests().into_iter().map(move |test| (group, test)));
    for (group, Test { name, loads, sanitizers, .. }) in all {
        let name = format!("{group}::{name}");
        for sanitizer in sanitizers {
            let (name, loads, workshop) = (name.clone(), loads.clone(), workshop.clone());
            let title = match sanitizer {
                Sanitizer::None => name.clone(),
                other => format!("{name}, sanitizer {}", other.word()),
            };
            trials.push(Trial::test(title, move || {
                let command = in_own_process(&name, &loads, sanitizer, &workshop);
                let output = command.map_err(|error| format!("{error:#}"))?.output()?;
                if output.status.success() {
                    return Ok(());
                }
                Err(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
            }));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn in_own_process(test: &str, loads: &Loads, sanitizer: Sanitizer, workshop: &Workshop) -> anyhow::Result<Command> {
    let built = loads.target(workshop).map(|target| workshop.build(&target, sanitizer)).transpose()?;
    let preload = workshop.preload(sanitizer)?;
    let mut command = process::preloaded(&workshop.loader(), &std::env::current_exe()?, &preload);
    if Path::new(MEMORY).is_dir() {
        command.env("TMPDIR", MEMORY);
    }
    command.env(OBJECT, built.map(|built| built.object).unwrap_or_default());
    command.env(FIBERS, if workshop.toolchain.is_clang { "1" } else { "" });
    // What TSan would start for names of functions is refused in the middle of an execution.
    command.env(TEST, test).env("TSAN_OPTIONS", "symbolize=0:atexit_sleep_ms=0");
    Ok(command)
}

/// What was built for this test.
pub fn object() -> PathBuf {
    std::env::var_os(OBJECT).expect("a test in a process of its own").into()
}

pub fn has_fibers() -> bool {
    std::env::var_os(FIBERS).is_some_and(|value| !value.is_empty())
}

pub fn controlled_engines() -> Vec<Engine> {
    if has_fibers() { vec![Engine::Fibers, Engine::Threads] } else { vec![Engine::Threads] }
}

pub fn settings(engine: Engine, strategy: StrategyName) -> Settings {
    Settings {
        runtime: "bundled".to_owned(),
        threads: 1,
        sanitizer: loaded_sanitizer(),
        engine,
        strategy,
        seed: 0,
        memory: MemoryModel::Sc,
        races: Races::Off,
        bug: None,
    }
}

pub fn open(settings: &Settings, loading: Loading<'_>) -> Session {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = Trace::create(&folder.path().join("trace")).expect("a trace");
    Session::open(settings, loading, trace).expect("a session")
}

/// A session with the probes that were built for this test.
pub fn open_probes(settings: &Settings) -> Session {
    let mut session = open(settings, Loading::Later);
    session.load_probes(&object()).expect("probes");
    session
}

/// What came of a C++ function in one schedule: its result, or why it was stopped.
pub type Outcome = Result<i64, String>;

pub fn outcome(result: Option<i64>, execution: &Execution) -> Outcome {
    match (&execution.ending, result) {
        (Ending::Completed, Some(result)) => Ok(result),
        (ending, _) => Err(match ending {
            Ending::Completed => unreachable!("completed without a result"),
            Ending::Stuck(_) => "stuck".to_owned(),
            Ending::OutOfSteps(_) | Ending::TooLong(_) => "out of steps".to_owned(),
            Ending::Unsupported(what) => format!("unsupported {what}"),
            Ending::Diverged { step, why } => format!("diverged at step {step}: {why}"),
            Ending::TooManyEvents => "too many events".to_owned(),
            Ending::Crashed { point } => format!("crashed at point {point}"),
            Ending::Misused { thread, primitive, how } => format!("thread {thread} misused {primitive} {how}"),
            Ending::Dangling { thread, primitive, how } => format!("thread {thread}: {primitive} {how}"),
            Ending::Exited(exit) => format!("exited: {exit:?}"),
        }),
    }
}
