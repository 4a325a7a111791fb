//! Executes inputs, one after the other, in this process; those that would use it up in one of their own.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::campaign::known::Known;
use crate::campaign::loaded::Loaded;
use crate::control::{Loading, Mode, Session, loaded_sanitizer};
use crate::feedback::{Edges, Kind};
use crate::input::{Input, NoInput};
use crate::model::offers::Offers;
use crate::model::settings::{Engine, MemoryModel, Races, Settings, StrategyName};
use crate::model::verdict::{Failure, Incomparable, Judgement, OracleName, Verdict};
use crate::process;
use crate::protocol::Trace;
use crate::runtime::Runtime;
use crate::scratch::Scratch;
use crate::strategy::bytes;

/// The environment variables that tell a process to execute the input in that file and nothing else, and on what.
const ALONE: &str = "THREADBARE_EXECUTE_ALONE";
const RUNTIME: &str = "THREADBARE_EXECUTE_ALONE_ON";

/// A runtime in this process, opened once for each number of threads.
pub struct Executor {
    sessions: BTreeMap<u16, Session>,
    /// The session whose files are those of the process, which has one directory for them.
    current: u16,
    /// A shared object; nothing stands for what is linked into the executable.
    runtime: PathBuf,
    engine: Engine,
    executions: u64,
    edges: Edges,
    /// Holds traces and the target's files. Whoever comes next removes what a finding leaves behind.
    scratch: Scratch,
}

impl Executor {
    /// On the runtime that is linked into this executable.
    ///
    /// # Errors
    /// There is none, or no place for temporary files.
    pub fn linked() -> Result<Self> {
        Self::on(Path::new(""))
    }

    /// On the runtime in a shared object.
    ///
    /// # Errors
    /// It cannot be loaded, or there is no place for temporary files.
    pub fn on(runtime: &Path) -> Result<Self> {
        let engine = if Runtime::load(runtime)?.fits_fibers() { Engine::Fibers } else { Engine::Threads };
        let scratch = Scratch::in_memory(1).map_or_else(Scratch::new, Ok)?;
        Ok(Self {
            sessions: BTreeMap::new(),
            current: 0,
            runtime: runtime.to_owned(),
            engine,
            executions: 0,
            edges: Edges::default(),
            scratch,
        })
    }

    /// Executes the input in `bytes`; false if they hold none. After a failure this process is not to be trusted.
    ///
    /// # Errors
    /// What the oracles or the sanitizer found wrong.
    ///
    /// # Panics
    /// The target cannot be opened, or does what cannot be emulated.
    pub fn run(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        let input = match Input::decode(bytes) {
            Ok(input) => input,
            Err(NoInput::Foreign) => return Ok(false),
            Err(why) => {
                // Some of a corpus, which its owner will want to know of.
                eprintln!("threadbare: an input is not used: {why}");
                return Ok(false);
            }
        };
        let injections = input.graph.injections;
        if injections.may_end_process() {
            // A crash ends the execution midway, and so may memory that runs out.
            self.run_alone(bytes)?;
        } else {
            let threads = input.threads;
            self.execute(input)?;
            let spent = self.session(threads).is_ok_and(|session| session.is_spent());
            assert!(!spent, "an execution stopped midway, and the oracles cannot say why");
        }
        Ok(true)
    }

    /// Executes the input in this process.
    fn execute(&mut self, input: Input) -> Result<(), Failure> {
        self.executions += 1;
        let number = self.executions;
        let session = self.session(input.threads).expect("the runtime opens");
        let mut loaded = Loaded::graph(session, input.graph, input.threads, &Offers::default(), true);
        bytes::lay_out(&input.choices);
        let ran = loaded.execute(session, number, Mode::Explore { seed: input.seed }, &Known::default(), false);
        self.edges.look();
        // The oracles say more about what is wrong.
        match ran.judgement {
            Judgement::Wrong(failure) => Err(failure),
            _ if ran.reports > 0 => Err(Failure {
                verdict: Verdict::SanitizerReport,
                oracle: OracleName::Sanitizer,
                message: "the sanitizer made a report; it is on standard error".to_owned(),
                cause: "report".to_owned(),
            }),
            Judgement::Right => Ok(()),
            Judgement::Incomparable(Incomparable::HistoryTooLong, _) => Ok(()),
            Judgement::Incomparable(reason, what) => panic!("incomparable ({reason:?}): {what}"),
        }
    }

    fn session(&mut self, threads: u16) -> Result<&mut Session> {
        let place = |what: &str| self.scratch.path().join(format!("{what}-{threads}"));
        if !self.sessions.contains_key(&threads) {
            let settings = Settings {
                runtime: "bundled".to_owned(),
                threads,
                sanitizer: loaded_sanitizer(),
                engine: self.engine,
                strategy: StrategyName::Bytes,
                seed: 0,
                memory: MemoryModel::Sc,
                races: Races::Off,
                bug: None,
            };
            let mut session =
                Session::open(&settings, Loading::Runtime(&self.runtime), Trace::create(&place("trace"))?)?;
            session.set_feedback(&Kind::ALL);
            self.sessions.insert(threads, session);
        }
        let session = self.sessions.get_mut(&threads).context("it was put there")?;
        if std::mem::replace(&mut self.current, threads) != threads {
            session.set_directory(place("files"))?;
        }
        Ok(session)
    }

    /// Executes the input in another process of this program.
    fn run_alone(&self, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.scratch.path().join("input");
        let answer = fs::write(&path, bytes).and_then(|()| {
            Command::new(process::executable())
                .env(ALONE, &path)
                .env(RUNTIME, &self.runtime)
                .stderr(Stdio::inherit())
                .output()
        });
        let answer = answer.expect("this task graph starts again");
        let said = serde_json::from_slice::<Option<Failure>>(&answer.stdout);
        match said {
            Ok(None) if answer.status.success() => Ok(()),
            Ok(Some(failure)) => Err(failure),
            _ => Err(Failure {
                verdict: Verdict::Crash,
                oracle: OracleName::Process,
                message: format!("its process ended with {}; what it said is on standard error", answer.status),
                cause: "crash".to_owned(),
            }),
        }
    }
}

/// In a process that an [`Executor`] started, executes the input that it is for and ends. Whoever uses executors calls
/// this before anything else.
///
/// # Panics
/// As [`Executor::run`].
pub fn execute_alone_if_asked() {
    let Some(path) = env::var_os(ALONE) else { return };
    process::become_worker();
    let bytes = fs::read(Path::new(&path)).expect("the input is there");
    let input = Input::decode(&bytes).expect("it was decoded before");
    let runtime = env::var_os(RUNTIME).unwrap_or_default();
    let mut executor = Executor::on(Path::new(&runtime)).expect("it was opened before");
    let failure = executor.execute(input).err();
    let said = serde_json::to_vec(&failure).expect("a failure can be written");
    let mut parent = std::io::stdout();
    parent.write_all(&said).and_then(|()| parent.flush()).expect("somebody listens");
    drop(executor.scratch);
    // The target may have been stopped midway.
    process::end_now(0);
}
