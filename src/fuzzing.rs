//! What the fuzz targets call, so that tests run the same code.
#![forbid(unsafe_code)]

use anyhow::Result;
use arbitrary::{Arbitrary, Unstructured};
use tempfile::TempDir;

use crate::build_info;
use crate::control::{Mode, Session, Trace};
use crate::execution::Ending;
use crate::finding::{Failure, Judgement, OracleName, Verdict};
use crate::oracle::Judge;
use crate::program::{self, DEFAULT_SIZE};
use crate::reference::Expectations;
use crate::settings::{Engine, Settings, StrategyName};

/// Threads of the subject under a fuzzer.
const THREADS: u16 = 4;

/// The target `differential`: bytes become a program and the seed of a schedule, all oracles judge.
pub struct Differential {
    session: Session,
    executions: u64,
    /// Holds the subject's files.
    _folder: TempDir,
}

impl Differential {
    /// Opens the bundled subject in this process.
    ///
    /// # Errors
    /// As [`Session::open`], or there is no place for a temporary file.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let trace = Trace::create(&folder.path().join("trace"))?;
        let settings = Settings {
            subject: "bundled".to_owned(),
            threads: THREADS,
            sanitizer: build_info::SANITIZER,
            engine: if build_info::FIBERS { Engine::Fibers } else { Engine::Threads },
            strategy: StrategyName::Random,
            seed: 0,
            fault: None,
        };
        let mut session = Session::open(&settings, trace)?;
        session.set_directory(folder.path().join("files"))?;
        Ok(Self { session, executions: 0, _folder: folder })
    }

    /// Executes what `bytes` stand for; any bytes stand for something.
    ///
    /// # Errors
    /// What the oracles found wrong.
    pub fn run(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let mut bytes = Unstructured::new(bytes);
        let seed = u64::arbitrary(&mut bytes).unwrap_or_default();
        let mut program = program::from_bytes(&mut bytes, DEFAULT_SIZE);
        // A crash would use this process up, and so may a stop for want of memory.
        program.injections.crash = false;
        program.injections.failing_allocation = None;
        let mut judge = Judge::new(&program, THREADS, Expectations::of(&program));
        self.session.load(&program);
        self.executions += 1;
        let execution = self.session.execute(self.executions, Mode::Explore { seed });
        if execution.reports > 0 {
            return Err(Failure {
                verdict: Verdict::SanitizerReport,
                oracle: OracleName::Sanitizer,
                message: "the sanitizer made a report; it is on standard error".to_owned(),
                cause: "report".to_owned(),
            });
        }
        match judge.judge(execution) {
            Judgement::Wrong(failure) => Err(failure),
            Judgement::Right => Ok(()),
            Judgement::Incomparable(reason, what) => {
                // A primitive that is not emulated stops the execution midway, and with it this process.
                assert!(execution.ending == Ending::Completed, "incomparable ({reason:?}): {what}");
                Ok(())
            }
        }
    }
}
