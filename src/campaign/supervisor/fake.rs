//! Workers for tests that are shell scripts: the supervisor starts them as it starts others, and nothing is compiled.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use crate::campaign::job::{self, Executed, Failed, Job, Outcome, Program, Slice, Work};
use crate::check;
use crate::model::schedule::Schedule;
use crate::model::settings::Settings;
use crate::model::verdict::{Failure, OracleName, Verdict};
use crate::protocol::Trace;
use crate::target::Built;

/// A script in the place of the loader, which is what a worker is started by.
pub struct Worker {
    directory: TempDir,
}

impl Worker {
    /// One that runs these commands, in which `$dir` is the directory of its files, and `$here` one of the test's.
    pub fn new(commands: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("loader");
        let here = directory.path().display();
        // It marks the trace as that of a worker that is there.
        let ready = format!("printf '\\1' | dd of=$quick/trace bs=1 seek={} conv=notrunc 2>/dev/null", Trace::READY_AT);
        fs::write(&path, format!("#!/bin/sh\nhere={here}\ndir=$3\nquick=${{4:-$3}}\n{ready}\n{commands}\n"))
            .expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
        Self { directory }
    }

    /// One that leaves this outcome.
    pub fn that_says(outcome: &Outcome) -> Self {
        let worker = Self::new("cp $here/says.json $dir/outcome.json");
        worker.keep("says", outcome);
        worker
    }

    /// Lays an outcome where the script finds it, as `$here/NAME.json`.
    pub fn keep(&self, name: &str, outcome: &Outcome) {
        job::write(&self.directory.path().join(format!("{name}.json")), outcome).expect("written");
    }

    /// What a file that the script made beside itself holds.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory.path().join(name)).unwrap_or_default()
    }

    /// What it "loads".
    pub fn target(&self) -> Built {
        let path = self.directory.path();
        Built { object: path.join("program.so"), loader: path.join("loader"), ..Built::default() }
    }
}

/// So many executions of a program.
pub fn slice(count: u64) -> Work {
    let program = Program { arguments: Vec::new(), injections: Vec::new(), framework: None };
    Work::Explore(Slice::to_measure(Executed::Program(program), 1, 0, count))
}

pub fn job(target: Built, work: Work) -> Job {
    let settings = Settings { runtime: check::RUNTIME.to_owned(), threads: 1, ..Settings::sample() };
    Job { settings, target, work }
}

/// What a worker says of which this execution failed.
pub fn failed(execution: u64, verdict: Verdict) -> Outcome {
    let (message, cause) = ("it failed".to_owned(), "a cause".to_owned());
    let failures = vec![Failure { verdict, oracle: OracleName::Progress, message, cause }];
    let failed = Failed { execution, failures, schedule: Some(Schedule::default()), ..Failed::default() };
    Outcome { executions: execution + 1, failed: Some(failed), ..Outcome::default() }
}
