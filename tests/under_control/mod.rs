//! What tests of controlled executions share: a process for each test, sessions, and what came of an execution.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use threadbare::build_info;
use threadbare::control::{Session, Trace};
use threadbare::execution::{Ending, Execution};
use threadbare::settings::{Engine, Settings, StrategyName};

/// Each test runs in a process of its own, which is this executable with this variable naming the test: a
/// process holds one session at a time, a stopped execution spends it, and under TSan no other Rust thread
/// may be about (uninstrumented, it would show as racing).
const TEST: &str = "THREADBARE_CONTROL_TEST";

/// Where files are kept in memory, if the system has such a place: an `fsync` on a disk takes milliseconds.
const MEMORY: &str = "/dev/shm";

pub struct Test {
    pub name: String,
    pub body: Box<dyn Fn()>,
}

impl Test {
    pub fn new(name: impl Into<String>, body: impl Fn() + 'static) -> Self {
        Self { name: name.into(), body: Box::new(body) }
    }
}

/// The `main` of a file of tests.
pub fn run(tests: Vec<Test>) -> ! {
    if let Ok(name) = std::env::var(TEST) {
        let test = tests.iter().find(|test| test.name == name).expect("a test of that name");
        (test.body)();
        // A spent session leaves threads behind that cannot be ended in order.
        threadbare::control::process::end_now(0);
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = tests.into_iter().map(|Test { name, .. }| Trial::test(name.clone(), move || in_own_process(&name)));
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn in_own_process(test: &str) -> Result<(), Failed> {
    let mut command = Command::new(std::env::current_exe()?);
    if std::path::Path::new(MEMORY).is_dir() {
        command.env("TMPDIR", MEMORY);
    }
    // What TSan would start for names of functions is refused in the middle of an execution.
    let output = command.env(TEST, test).env("TSAN_OPTIONS", "symbolize=0:atexit_sleep_ms=0").output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}

pub fn controlled_engines() -> Vec<Engine> {
    if build_info::FIBERS { vec![Engine::Fibers, Engine::Threads] } else { vec![Engine::Threads] }
}

pub fn settings(engine: Engine, strategy: StrategyName) -> Settings {
    Settings {
        subject: "bundled".to_owned(),
        threads: 1,
        sanitizer: build_info::SANITIZER,
        engine,
        strategy,
        seed: 0,
        fault: None,
    }
}

pub fn open(settings: &Settings) -> Session {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = Trace::create(&folder.path().join("trace")).expect("a trace");
    Session::open(settings, trace).expect("a session")
}

/// What came of a C++ function in one schedule: its result, or why it was stopped.
pub type Outcome = Result<i64, String>;

pub fn outcome(result: Option<i64>, execution: &Execution) -> Outcome {
    match (&execution.ending, result) {
        (Ending::Completed, Some(result)) => Ok(result),
        (ending, _) => Err(match ending {
            Ending::Completed => unreachable!("completed without a result"),
            Ending::Stuck(_) => "stuck".to_owned(),
            Ending::OutOfSteps(_) => "out of steps".to_owned(),
            Ending::Unsupported(what) => format!("unsupported {what}"),
            Ending::Diverged { step, why } => format!("diverged at step {step}: {why}"),
            Ending::TooManyEvents => "too many events".to_owned(),
            Ending::Crashed { point } => format!("crashed at point {point}"),
            Ending::Misused { thread, primitive, how } => format!("thread {thread} misused {primitive} {how}"),
            Ending::Exited(exit) => format!("exited: {exit:?}"),
        }),
    }
}
