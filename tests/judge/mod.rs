//! An independent judge of the controller: random small programs whose every outcome is known from a search that shares
//! no code with it. Strategies must reach these outcomes and no others.

mod emit;
mod enumerate;
mod explore;
pub mod generate;
pub mod known;
mod minimise;
mod program;
mod verdicts;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use threadbare::check::Check;
use threadbare::model::settings::{Engine, Sanitizer, StrategyName};
use threadbare::process;
use threadbare::target::{Points, Workshop};

pub use explore::Explored;
use explore::Job;
use program::Program;
pub use verdicts::{Batch, Case, Verdict};

/// Tells the process that explores its job, as JSON.
const JOB: &str = "THREADBARE_JUDGE_JOB";

/// How the programs are executed.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub sanitizer: Sanitizer,
    pub engine: Engine,
    pub strategy: StrategyName,
    /// Executions of each program: at most.
    pub executions: u64,
}

/// Does the job, if this process was started for one.
pub fn explore_if_asked() {
    if let Ok(job) = std::env::var(JOB) {
        let job = serde_json::from_str(&job).expect("a job");
        let explored = serde_json::to_string(&explore::explore(&job)).expect("it can be written");
        let _ = std::io::stdout().write_all(explored.as_bytes());
        let _ = std::io::stdout().flush();
        // A spent session leaves threads behind that cannot be ended in order.
        process::end_now(0);
    }
}

/// What the controller makes of the programs.
pub fn execute(workshop: &Workshop, programs: &[Program], setting: &Setting) -> Result<Vec<Explored>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let object = build(workshop, programs, setting.sanitizer, folder.path())?;
    let preload = workshop.preload(setting.sanitizer).map_err(|error| format!("{error:#}"))?;
    let mut job = Job {
        object,
        engine: setting.engine,
        strategy: setting.strategy,
        threads: programs.iter().map(|program| program.threads.len()).collect(),
        first: 0,
        executions: setting.executions,
    };
    let mut all = Vec::new();
    while all.len() < programs.len() {
        job.first = all.len();
        let executable = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = process::preloaded(&workshop.loader(), &executable, &preload);
        command.env(JOB, serde_json::to_string(&job).map_err(|error| error.to_string())?);
        let explored = run(command).map_err(|error| format!("programs from {}: {error}", job.first))?;
        all.extend(explored);
    }
    Ok(all)
}

fn build(workshop: &Workshop, programs: &[Program], sanitizer: Sanitizer, folder: &Path) -> Result<PathBuf, String> {
    let source = folder.join("judged.cpp");
    fs::write(&source, emit::source(programs)).map_err(|error| error.to_string())?;
    let check = Check {
        directory: PathBuf::new(),
        sources: vec![source],
        flags: Vec::new(),
        arguments: Vec::new(),
        points: Points::Memory,
        injections: Vec::new(),
        test: None,
        recorded: None,
    };
    let target = check.target().map_err(|error| format!("{error:#}"))?;
    Ok(workshop.build(&target, sanitizer).map_err(|error| format!("{error:#}"))?.object)
}

fn run(mut command: Command) -> Result<Vec<Explored>, String> {
    // What TSan reports is counted, not read.
    command.env("TSAN_OPTIONS", "symbolize=0:atexit_sleep_ms=0:log_path=/dev/null");
    command.stderr(Stdio::piped()).stdout(Stdio::piped());
    let output = command.output().map_err(|error| error.to_string())?;
    let explored: Option<Vec<Explored>> = serde_json::from_slice(&output.stdout).ok();
    explored.filter(|explored| !explored.is_empty()).ok_or_else(|| {
        let told = String::from_utf8_lossy(&output.stderr);
        let tail: String = told.chars().take(2000).collect();
        format!("the process that executes them ended with {}: {tail}", output.status)
    })
}
