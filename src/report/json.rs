//! What the subcommands write for programs, as JSON files.

pub(super) mod targets;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

pub use targets::{Ci, Targets};

use super::progress::per_second;
use super::prospects::Behaved;
use super::throughput::Bench;
use crate::campaign::bench::Throughput;
use crate::campaign::bugs::{Clean, Measured, Searches};
use crate::campaign::corpus::Gathered;
use crate::campaign::explorer::{Campaign, Summary};
use crate::campaign::findings::{Confirmation, Finding};
use crate::campaign::replay::{Conclusion, Refused, Replayed, Seen};
use crate::campaign::strategies;
use crate::model::left_out::LeftOut;
use crate::model::settings::{Engine, MemoryModel, Sanitizer, StrategyName};
use crate::model::verdict::{Incomparable, OracleName, Verdict};
use crate::target::prebuilt::Prebuilt;
use crate::whole_file::write_whole;

/// Writes a value so that readers see the whole file or none.
///
/// # Errors
/// The file cannot be written.
pub fn write<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value).context("cannot write JSON")?;
    text.push('\n');
    write_whole(path, text.as_bytes())
}

/// `fuzz --json` and `check --json`: what a campaign came to.
#[derive(Serialize)]
pub struct Explored {
    seed: u64,
    strategy: StrategyName,
    executions: u64,
    /// Of a runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_graphs: Option<u64>,
    /// Of an audit: replays with other engines and sanitizers.
    compared: u64,
    seconds: f64,
    per_second: f64,
    interrupted: bool,
    /// Slices and replays whose worker another process ended, which were begun again.
    begun_again: u64,
    findings: Vec<Found>,
    incomparable: BTreeMap<Incomparable, u64>,
    /// Only of a coverage-guided search.
    corpus: Option<Gathered>,
    runs: Vec<Run>,
    /// Code in the target that its compiler did not see.
    prebuilt: Vec<Prebuilt>,
    /// What task graphs did without, since the runtime does not offer it.
    not_offered: Vec<&'static str>,
}

#[derive(Serialize)]
struct Found {
    case: PathBuf,
    verdict: Verdict,
    oracle: OracleName,
    fingerprint: String,
    sanitizer: Sanitizer,
    threads: u16,
    /// How many executions it took in its run.
    execution: u64,
    message: String,
    count: u64,
    confirmed: bool,
    /// Files of a runtime, or functions of a program, where the choices are made that its schedule needs. Findings that share one may
    /// be one bug.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    decided_in: Vec<String>,
}

/// Under one sanitizer with one thread count.
#[derive(Serialize)]
struct Run {
    sanitizer: Sanitizer,
    engine: Engine,
    threads: u16,
    executions: u64,
    seconds: f64,
    per_second: f64,
    points: u64,
    findings: u64,
    diverged: u64,
    /// Every schedule was tried: the search came to its end and nothing was left out.
    exhausted: bool,
    search_ended: bool,
    left_out: LeftOut,
    /// Executions that differ in reads-from and modification order, of a search that counts them.
    distinct: Option<u64>,
    /// What executions did that were looked at, and what more of them would bring; of one that draws its executions.
    behaviours: Option<Behaved>,
}

impl Explored {
    #[must_use]
    pub fn new((summary, campaign): (&Summary, &Campaign)) -> Self {
        let finding = |finding: &Finding| Found {
            case: finding.path.clone(),
            verdict: finding.failure.verdict,
            oracle: finding.failure.oracle,
            fingerprint: finding.fingerprint.clone(),
            sanitizer: finding.settings.sanitizer,
            threads: finding.settings.threads,
            execution: finding.origin.execution + 1,
            message: finding.failure.message.clone(),
            count: finding.count,
            confirmed: finding.confirmation == Confirmation::Confirmed,
            decided_in: finding.decided.clone(),
        };
        let mut incomparable = BTreeMap::new();
        for (reason, count) in summary.cells.iter().flat_map(|cell| &cell.incomparable) {
            *incomparable.entry(*reason).or_default() += count;
        }
        let runs = summary.cells.iter().map(|cell| Run {
            sanitizer: cell.sanitizer,
            engine: summary.engine,
            threads: cell.threads,
            executions: cell.executions,
            seconds: cell.seconds,
            per_second: per_second(cell.executions, cell.seconds),
            points: cell.points,
            findings: cell.findings,
            diverged: cell.diverged,
            exhausted: cell.is_complete(),
            search_ended: cell.search_ended,
            left_out: cell.left_out,
            distinct: cell.extent.map(|extent| extent.distinct),
            behaviours: Behaved::of(cell),
        });
        Self {
            seed: campaign.seed,
            strategy: campaign.searched.strategy(),
            executions: summary.executions,
            task_graphs: (!campaign.is_of_program()).then_some(summary.task_graphs),
            compared: summary.compared,
            seconds: summary.seconds,
            per_second: per_second(summary.executions, summary.seconds),
            interrupted: summary.interrupted,
            begun_again: summary.begun_again,
            findings: summary.findings.iter().map(finding).collect(),
            incomparable,
            corpus: summary.corpus,
            runs: runs.collect(),
            prebuilt: summary.prebuilt.clone(),
            not_offered: summary.not_offered.clone(),
        }
    }
}

/// `bench --examples --json`.
#[derive(Serialize)]
pub struct Strategies {
    throughput: Bench,
    /// By example and strategy.
    examples: BTreeMap<String, BTreeMap<String, StrategySearches>>,
}

#[derive(Serialize)]
struct StrategySearches {
    trials: u64,
    found: u64,
    median_executions: Option<u64>,
}

impl Strategies {
    #[must_use]
    pub fn new(throughputs: &[Throughput], measured: &[strategies::Measured]) -> Self {
        let searches = |searches: &strategies::Searches| StrategySearches {
            trials: searches.trials,
            found: searches.found.len() as u64,
            median_executions: searches.median(),
        };
        let example = |measured: &strategies::Measured| {
            let name = measured.example.source.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let names = strategies::COMPARED.map(|strategy| strategy.to_string());
            (name, names.into_iter().zip(measured.searches.iter().map(searches)).collect())
        };
        Self { throughput: Bench::new(throughputs), examples: measured.iter().map(example).collect() }
    }
}

/// `replay --json`.
#[derive(Serialize)]
pub struct Replay {
    cases: usize,
    as_expected: usize,
    diverged: usize,
    unexpected: usize,
    not_shown: usize,
    /// Replays that were not made, since it was interrupted.
    missing: u64,
    /// Files that could not be replayed.
    refused: Vec<Refused>,
    results: Vec<ReplayResult>,
}

#[derive(Serialize)]
struct ReplayResult {
    path: PathBuf,
    sanitizer: Sanitizer,
    engine: Engine,
    expected: Verdict,
    result: &'static str,
    /// What the replays showed: verdicts, "diverged" or "incomparable", and how often.
    verdicts: BTreeMap<String, u64>,
    /// Where the schedule stopped fitting.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u64>,
    replays: usize,
    /// Of a check whose sources are not those that the case was recorded with.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    sources_changed: bool,
}

impl Replay {
    #[must_use]
    pub fn new(results: &[Replayed], missing: u64, refused: &[Refused]) -> Self {
        let results: Vec<&Replayed> = results.iter().filter(|result| result.was_replayed()).collect();
        let count = |wanted: &str| results.iter().filter(|result| name(&result.conclusion) == wanted).count();
        Self {
            cases: results.len(),
            as_expected: count("as-expected"),
            diverged: count("diverged"),
            unexpected: count("unexpected"),
            not_shown: count("not-shown"),
            missing,
            refused: refused.to_vec(),
            results: results.into_iter().map(replay_result).collect(),
        }
    }
}

fn replay_result(result: &Replayed) -> ReplayResult {
    let mut verdicts = BTreeMap::new();
    for seen in &result.seen {
        *verdicts.entry(seen_word(seen)).or_default() += 1;
    }
    ReplayResult {
        path: result.path.clone(),
        sanitizer: result.settings.sanitizer,
        engine: result.settings.engine,
        expected: result.case.verdict,
        result: name(&result.conclusion),
        verdicts,
        step: if let Conclusion::Diverged(divergence) = &result.conclusion { Some(divergence.step) } else { None },
        replays: result.seen.len(),
        sources_changed: result.sources_changed,
    }
}

/// The word for what a replay showed.
#[must_use]
pub fn seen_word(seen: &Seen) -> String {
    match seen {
        Seen::Clean => crate::model::word(&Verdict::Clean),
        Seen::Failed(failures) => {
            failures.first().map_or_else(String::new, |failure| crate::model::word(&failure.verdict))
        }
        Seen::Diverged(_) => "diverged".to_owned(),
        Seen::Incomparable(_) => "incomparable".to_owned(),
    }
}

/// The word for a conclusion.
#[must_use]
pub fn name(conclusion: &Conclusion) -> &'static str {
    match conclusion {
        Conclusion::AsExpected => "as-expected",
        Conclusion::Diverged(_) => "diverged",
        Conclusion::Unexpected => "unexpected",
        Conclusion::NotShown => "not-shown",
    }
}

/// `bugs --json`.
#[derive(Serialize)]
pub struct Bugs {
    bugs: Vec<Bug>,
    clean: CleanRun,
}

#[derive(Serialize)]
struct Bug {
    name: &'static str,
    scenario: &'static str,
    sanitizer: Sanitizer,
    threads: u16,
    strategy: StrategyName,
    memory: MemoryModel,
    trials: u64,
    found: u64,
    median_executions: Option<f64>,
    mean_executions: Option<f64>,
    oracle: Option<OracleName>,
    free: Option<FreeSearches>,
}

#[derive(Serialize)]
struct FreeSearches {
    trials: u64,
    found: u64,
    median_executions: Option<f64>,
}

#[derive(Serialize)]
struct CleanRun {
    executions: u64,
    findings: usize,
}

impl Bugs {
    #[must_use]
    pub fn new(measured: &[Measured], clean: &Clean) -> Self {
        let free = |searches: &Searches| FreeSearches {
            trials: searches.trials,
            found: searches.found(),
            median_executions: searches.median(),
        };
        let bug = |Measured { entry, controlled, free: uncontrolled }: &Measured| Bug {
            name: entry.name,
            scenario: entry.scenario,
            sanitizer: entry.sanitizer,
            threads: entry.threads,
            strategy: entry.strategy,
            memory: entry.memory,
            trials: controlled.trials,
            found: controlled.found(),
            median_executions: controlled.median(),
            mean_executions: controlled.mean(),
            oracle: controlled.oracle(),
            free: uncontrolled.as_ref().map(free),
        };
        Self {
            bugs: measured.iter().map(bug).collect(),
            clean: CleanRun { executions: clean.executions, findings: clean.findings.len() },
        }
    }
}
