//! What a worker's end tells: what it says itself, or else its trace, its exit status and what it printed.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use anyhow::Result;

use super::death::{self, Killed};
use super::process::WorkerProcess;
use super::{Ended, Evolved, Found};
use crate::campaign::job::{self, Failed, Outcome, Work};
use crate::campaign::symbols::Symbols;
use crate::feedback::Features;
use crate::input::Input;
use crate::model::settings::Engine;
use crate::model::sketch::Sketch;
use crate::model::verdict::{Failure, OracleName, Verdict};
use crate::oracle::sanitizer;
use crate::protocol::{InputSlot, Slotted, steps};

/// A target may print without end; no report is as long as this, in bytes.
const MAX_STDERR: u64 = 4 << 20;

/// Reads what a worker left behind.
pub(super) fn conclude(worker: WorkerProcess, status: ExitStatus, symbols: &mut Symbols) -> Result<Ended> {
    let files = worker.files();
    let stderr = symbols.expand(&beginning_of(&files.stderr()));
    let outcome: Option<Outcome> = if worker.killed().is_none() { job::read(&files.outcome()).ok() } else { None };
    let (mut outcome, found) = match outcome {
        Some(outcome) if outcome.failed.is_some() => {
            let found = outcome.failed.as_ref().map(|failed| judged(failed, &stderr, &worker));
            (outcome, found)
        }
        Some(outcome) if outcome.leaked.is_some() => {
            let found = outcome.leaked.map(|window| leaked(window.first, &stderr, &worker));
            (outcome, found)
        }
        Some(outcome) if outcome.diverged.is_some() || status.success() => (outcome, None),
        outcome => died(&worker, status, outcome, &stderr)?,
    };
    let mut asides = Vec::new();
    if matches!(worker.job().work, Work::Replay(_)) {
        let kept = steps::read(&worker.files().steps());
        asides = kept.1;
        if outcome.steps.is_empty() {
            outcome.steps = kept.0;
        }
    }
    let ended_by_itself = worker.killed().is_none() && status.success();
    let (earlier, evolved) = (earlier(&outcome, &worker), evolved(&worker, ended_by_itself));
    let sketch = if matches!(worker.job().work, Work::Replay(_)) { worker.sketch() } else { Sketch::default() };
    Ok(Ended { job: worker.end(), outcome, found, earlier, evolved, sketch, asides })
}

/// What a worker did that is stopped in the middle. What it may have found in the last execution is not known.
pub(super) fn stopped(worker: WorkerProcess) -> Ended {
    let outcome = counted(&worker);
    let (earlier, evolved) = (earlier(&outcome, &worker), evolved(&worker, false));
    Ended { job: worker.end(), outcome, found: None, earlier, evolved, sketch: Sketch::default(), asides: Vec::new() }
}

fn earlier(outcome: &Outcome, worker: &WorkerProcess) -> Vec<Found> {
    outcome.earlier.iter().map(|failed| judged(failed, "", worker)).collect()
}

/// libFuzzer says nothing where there is no room for an input, but leaves a file that was not written to its end. So does
/// a worker that did not end by itself.
fn evolved(worker: &WorkerProcess, ended_by_itself: bool) -> Evolved {
    let Work::Evolve(_) = worker.job().work else { return Evolved::default() };
    let entries = fs::read_dir(worker.files().kept()).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let kept: Vec<Input> = paths.iter().filter_map(|path| Input::decode(&fs::read(path).ok()?).ok()).collect();
    let cut_off = ended_by_itself && kept.len() < paths.len();
    Evolved { kept, cut_off, last: last(worker), reached: Features::read(&worker.files().reached()) }
}

/// What a worker of a coverage-guided campaign executed last.
fn slotted(worker: &WorkerProcess) -> Option<Slotted> {
    let Work::Evolve(_) = worker.job().work else { return None };
    InputSlot::read(&worker.files().input())
}

fn last(worker: &WorkerProcess) -> Option<Input> {
    Input::decode(&slotted(worker)?.input).ok()
}

/// What a worker that leaves no outcome is known to have done.
fn counted(worker: &WorkerProcess) -> Outcome {
    let so_far: Outcome = job::read(&worker.files().outcome_so_far()).unwrap_or_default();
    let executions = match &worker.job().work {
        // An audit executes each schedule twice.
        Work::Explore(slice) if slice.audit || worker.job().is_of_program() => {
            worker.execution().saturating_sub(slice.first)
        }
        _ => worker.finished(),
    };
    Outcome {
        executions,
        points: worker.heartbeat().saturating_sub(worker.finished()),
        task_graphs: slotted(worker).map_or(0, |slotted| slotted.task_graphs),
        seconds: worker.seconds(),
        ..so_far
    }
}

/// What a worker printed, as far as it can matter. A file that cannot be read tells nothing.
fn beginning_of(path: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        let _ = file.take(MAX_STDERR).read_to_end(&mut bytes);
    }
    // Zeros stand where a program may still write (`process::Written`).
    bytes.retain(|byte| *byte != 0);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The worker's oracles judged the execution wrong, or its sanitizer reported.
fn judged(failed: &Failed, stderr: &str, worker: &WorkerProcess) -> Found {
    let mut failures = Vec::new();
    let mut report = "";
    if failed.reports > 0 {
        failures = sanitizer::failures(stderr);
        if failures.is_empty() {
            failures.push(unreadable_report());
        }
        report = sanitizer::report_text(stderr);
    }
    failures.extend_from_slice(&failed.failures);
    let schedule = failed.schedule.clone();
    let found = found(failed.execution, failures, report.to_owned(), worker);
    Found { schedule: schedule.or(found.schedule), timeline: failed.timeline.clone(), ..found }
}

fn leaked(execution: u64, stderr: &str, worker: &WorkerProcess) -> Found {
    let failure = sanitizer::failures(stderr).into_iter().next().unwrap_or_else(unreadable_report);
    found(execution, vec![failure], sanitizer::report_text(stderr).to_owned(), worker)
}

fn died(
    worker: &WorkerProcess,
    status: ExitStatus,
    outcome: Option<Outcome>,
    stderr: &str,
) -> Result<(Outcome, Option<Found>)> {
    const COULD_NOT: i32 = crate::model::exit::COULD_NOT as i32;
    if worker.killed().is_none() && status.code() == Some(COULD_NOT) {
        let why = stderr.lines().last().unwrap_or("it does not say why");
        anyhow::bail!("{}", why.trim_start_matches("error: "));
    }
    if !worker.is_ready() {
        anyhow::bail!("{}", death::before_it_began(status, worker.killed(), stderr));
    }
    let failures = death::failures_of(status, worker.killed(), stderr);
    let report = match worker.killed() {
        Some(Killed::Hang(_) | Killed::Memory(_)) => String::new(),
        None => sanitizer::report_text(stderr).to_owned(),
    };
    let outcome = outcome.filter(|outcome| outcome.executions > 0).unwrap_or_else(|| {
        let counted = counted(worker);
        // The one under way is what it died of.
        let is_program_explored = worker.job().is_of_program() && matches!(worker.job().work, Work::Explore(_));
        let begun = is_program_explored || worker.schedule().cut;
        Outcome { executions: counted.executions + u64::from(begun), ..counted }
    });
    Ok((outcome, Some(found(worker.execution(), failures, report, worker))))
}

fn found(execution: u64, failures: Vec<Failure>, report: String, worker: &WorkerProcess) -> Found {
    let controlled = worker.job().settings.engine != Engine::Free;
    let input = match &worker.job().work {
        Work::Narrow { inputs, .. } => inputs.get(execution as usize).and_then(|bytes| Input::decode(bytes).ok()),
        _ => last(worker),
    };
    let schedule = controlled.then(|| worker.schedule());
    Found { execution, failures, schedule, report, timeline: String::new(), input }
}

fn unreadable_report() -> Failure {
    Failure {
        verdict: Verdict::SanitizerReport,
        oracle: OracleName::Sanitizer,
        message: "the sanitizer made a report that cannot be read".to_owned(),
        cause: "unreadable report".to_owned(),
    }
}
