//! What passes between the supervisor and a worker: a job goes in, an outcome comes out, as JSON files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::known::Known;
use super::task_graphs::TaskGraphs;
use super::trials::{Trials, Tried};
use crate::check::framework::Framework;
use crate::check::{self, Check};
use crate::feedback::Kind;
use crate::feedback::counters::Feature;
use crate::model::behaviours::Behaviours;
use crate::model::execution::Step;
use crate::model::extent::Extent;
use crate::model::left_out::LeftOut;
use crate::model::schedule::{Injection, Schedule};
use crate::model::settings::Settings;
use crate::model::verdict::{Failure, Incomparable};
use crate::target::Built;
use crate::task_graph::Shape;

/// The files of one worker, in a directory that the supervisor made for it. Those that come and go by the thousand may be
/// in another one, which is quicker.
#[derive(Clone, Debug)]
pub struct Files {
    directory: PathBuf,
    quick: PathBuf,
}

impl Files {
    #[must_use]
    pub fn new(directory: PathBuf, quick: Option<PathBuf>) -> Self {
        let quick = quick.unwrap_or_else(|| directory.clone());
        Self { directory, quick }
    }

    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The [`Job`].
    #[must_use]
    pub fn job(&self) -> PathBuf {
        self.directory.join("job.json")
    }

    /// The [`Outcome`]; missing if the worker died.
    #[must_use]
    pub fn outcome(&self) -> PathBuf {
        self.directory.join("outcome.json")
    }

    /// The [`crate::protocol::Trace`], which is written in each execution: a disk would write it back again and again.
    #[must_use]
    pub fn trace(&self) -> PathBuf {
        self.quick.join("trace")
    }

    /// The [`Steps`](crate::protocol::Steps) of a replay, if they are kept.
    #[must_use]
    pub fn steps(&self) -> PathBuf {
        self.directory.join("steps")
    }

    /// The quicker directory.
    #[must_use]
    pub fn quick(&self) -> &Path {
        &self.quick
    }

    /// The directory of the target's files.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        self.quick.join("files")
    }

    /// What belongs to the outcome and is not in the trace; read if the worker dies.
    #[must_use]
    pub fn outcome_so_far(&self) -> PathBuf {
        self.quick.join("outcome-so-far.json")
    }

    /// Leaves only what the job begins with.
    pub fn forget_what_was_done(&self) {
        let replayed = [self.stderr(), self.steps()];
        let files = [self.outcome(), self.outcome_so_far(), self.trace(), self.input(), self.reached()];
        // Most are not there.
        files.iter().chain(&replayed).for_each(|file| drop(fs::remove_file(file)));
        [self.files(), self.kept(), self.alone()].iter().for_each(|directory| drop(fs::remove_dir_all(directory)));
    }

    /// What the worker, its target and the sanitizer printed.
    #[must_use]
    pub fn stderr(&self) -> PathBuf {
        self.directory.join("stderr")
    }

    /// Inputs that a worker of a coverage-guided campaign begins with.
    #[must_use]
    pub fn seeds(&self) -> PathBuf {
        self.quick.join("seeds")
    }

    /// Those that libFuzzer found to be worth keeping.
    #[must_use]
    pub fn kept(&self) -> PathBuf {
        self.quick.join("kept")
    }

    /// The [`InputSlot`](crate::protocol::InputSlot), which holds the one that is executed now.
    #[must_use]
    pub fn input(&self) -> PathBuf {
        self.directory.join("input")
    }

    /// The [`Features`](crate::feedback::Features) that were reached before: what reaches more is kept.
    #[must_use]
    pub fn reached_before(&self) -> PathBuf {
        self.quick.join("reached-before")
    }

    /// Those that this worker reached.
    #[must_use]
    pub fn reached(&self) -> PathBuf {
        self.quick.join("reached")
    }

    /// Where another worker executes what would use this one up.
    #[must_use]
    pub fn alone(&self) -> PathBuf {
        self.directory.join("alone")
    }

    /// The case of a replay.
    #[must_use]
    pub fn case(&self) -> PathBuf {
        self.directory.join("replay.case")
    }
}

/// What one worker is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub settings: Settings,
    /// What it loads, built for the sanitizer of the settings.
    pub target: Built,
    pub work: Work,
}

impl Job {
    /// Whether it is of a program, and not of a runtime.
    #[must_use]
    pub fn is_of_program(&self) -> bool {
        self.settings.runtime == check::RUNTIME
    }
}

/// How a program under check is run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Program {
    /// Of `main`.
    pub arguments: Vec<String>,
    /// What may go wrong in it.
    pub injections: Vec<Injection>,
    /// What it is one test of: that says what failed.
    pub framework: Option<Framework>,
}

impl Program {
    /// As a check says.
    #[must_use]
    pub fn of(check: &Check) -> Self {
        let framework = check.test.as_ref().map(|test| test.framework);
        Self { arguments: check.arguments.clone(), injections: check.injections.clone(), framework }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    Explore(Slice),
    Replay(Replay),
    /// One execution of an [`Input`](crate::input::Input), encoded; it is said to have this number.
    Input {
        input: Vec<u8>,
        number: u64,
    },
    /// A part of a coverage-guided campaign. It begins with the inputs in [`Files::seeds`].
    Evolve(Evolution),
    /// These inputs one after the other, with a look for leaks after so many.
    Narrow {
        inputs: Vec<Vec<u8>>,
        every: u64,
    },
    /// These inputs one after the other; what each reaches.
    Measure(Vec<Vec<u8>>),
    Compare(Comparison),
    /// One execution of a program, of which only matters what it prints.
    List(Program),
    /// Variations of the schedule of the case at [`Files::case`].
    Try(Trials),
    /// One execution of the case at [`Files::case`] under a debugger, stopped before that step.
    Debug {
        stop_at: u64,
    },
}

/// A part of a campaign: executions `first .. first + count` of one cell, up to the first finding.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slice {
    /// The seed of the campaign; see [`super::seed`].
    pub seed: u64,
    pub first: u64,
    pub count: u64,
    /// Milliseconds after which no further execution is begun.
    pub limit_ms: Option<u64>,
    pub executed: Executed,
    pub known: Known,
    /// Look for leaked memory of task graphs after so many executions, and at the end.
    pub leak_check_every: u64,
    /// End with the first finding, which is where a worker of task graphs ends in any case.
    pub stop_at_first: bool,
    /// Execute each schedule twice and compare.
    pub audit: bool,
    /// Only a share of the executions is under the memory model of the settings, the others are interleavings.
    pub mixes_memory: bool,
}

impl Slice {
    /// One that is no part of a campaign: nothing is known, and it ends with the first finding.
    #[must_use]
    pub fn to_measure(executed: Executed, seed: u64, first: u64, count: u64) -> Self {
        let (known, limit_ms, leak_check_every) = (Known::default(), None, u64::MAX);
        Self {
            seed,
            first,
            count,
            limit_ms,
            executed,
            known,
            leak_check_every,
            stop_at_first: true,
            audit: false,
            mixes_memory: false,
        }
    }
}

/// What executions with a number are of.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Executed {
    TaskGraphs(TaskGraphs),
    Program(Program),
}

/// A part of a coverage-guided campaign: executions `first .. first + count` of one cell, up to the first finding.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evolution {
    /// Of libFuzzer, and of the inputs that are not mutated from others.
    pub seed: u64,
    pub first: u64,
    pub count: u64,
    /// Milliseconds after which no further execution is begun.
    pub limit_ms: Option<u64>,
    /// Of fresh task graphs.
    pub shape: Shape,
    pub feedback: Vec<Kind>,
    pub known: Known,
}

/// Schedules that must come to what they came to before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comparison {
    pub executed: Executed,
    /// The seed of the campaign.
    pub seed: u64,
    /// The number of the first schedule.
    pub first: u64,
    pub audited: Vec<Audited>,
}

/// A schedule, and how the execution that made it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audited {
    /// Its number in the campaign.
    pub execution: u64,
    pub schedule: Schedule,
    /// As [`Ending`](crate::model::execution::Ending) is displayed.
    pub ending: String,
    /// It did not end within its step budget.
    pub is_endless: bool,
}

/// Executions of the case at [`Files::case`]. A program keeps every step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Replay {
    /// The first of the strategy's schedules to be made.
    pub from: u64,
    /// Executed up to so many times, until one fails; a schedule needs one.
    pub times: u64,
    /// Keep the steps of a task graph with a schedule too.
    pub explains: bool,
}

/// What a worker that lived to the end of its job says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Executions completed, with the one that failed.
    pub executions: u64,
    /// Scheduling points passed.
    pub points: u64,
    /// Different task graphs executed, of a coverage-guided campaign.
    pub task_graphs: u64,
    /// Time spent executing and judging.
    pub seconds: f64,
    pub incomparable: BTreeMap<Incomparable, u64>,
    /// Findings that were known, by fingerprint.
    pub repeated: BTreeMap<String, u64>,
    pub failed: Option<Failed>,
    /// A replayed schedule did not fit.
    pub diverged: Option<Divergence>,
    /// Memory was lost in one of these executions.
    pub leaked: Option<LeakWindow>,
    /// What each input reached, of those that were measured.
    pub features: Vec<Vec<Feature>>,
    /// The inputs of those executions, with their numbers, of a coverage-guided campaign.
    pub suspects: Vec<(u64, Vec<u8>)>,
    /// The last execution stopped midway, so the worker could make no other.
    pub spent: bool,
    /// Findings after which the worker went on.
    pub earlier: Vec<Failed>,
    /// The strategy has made every execution that it would make: every schedule, but for what was left out.
    pub search_ended: bool,
    /// The program, one test of many, started no second thread, so that all its executions are the same.
    pub alone: bool,
    /// What the program printed, of one that was asked to list its tests.
    pub printed: String,
    /// What the strategy had no say in, of a program that was executed to the end of the job.
    pub left_out: LeftOut,
    /// Why the program under check cannot be explored, for people.
    pub refused: Option<String>,
    /// Of those executions that were looked at.
    pub behaviours: Behaviours,
    /// How far a search of all executions of the program came.
    pub extent: Option<Extent>,
    /// What an audit executed twice, as far as it is kept.
    pub audited: Vec<Audited>,
    /// Every step of the last execution, of a replayed program under check.
    pub steps: Vec<Step>,
    /// What was tried of a schedule; what it stopped at is not told yet.
    pub tried: Option<Tried>,
}

/// The execution that a worker stopped at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Failed {
    pub execution: u64,
    /// What the oracles said. The sanitizer's own report, if any, is on standard error.
    pub failures: Vec<Failure>,
    /// Reports that the sanitizer made in process.
    pub reports: u32,
    /// The events, for people.
    pub timeline: String,
    /// The choices made, if the trace does not hold them.
    pub schedule: Option<Schedule>,
    /// Tell the sanitizer's reports from each other.
    pub signatures: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    pub step: u64,
    pub why: String,
}

/// The executions `first .. first + count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakWindow {
    pub first: u64,
    pub count: u64,
}

/// A limit of time as jobs tell it.
#[must_use]
pub fn milliseconds(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)
}

/// Reads one of the JSON files.
///
/// # Errors
/// The file is missing, unreadable or not of this version.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
}

/// Writes one of the JSON files.
///
/// # Errors
/// The file cannot be written.
pub fn write<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let text = serde_json::to_vec(value).context("cannot write JSON")?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// As [`write`], but whoever reads the file finds what it held before or what it holds now.
///
/// # Errors
/// The file cannot be written.
pub fn replace<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let new = path.with_extension("new");
    write(&new, value)?;
    fs::rename(&new, path).with_context(|| format!("cannot write {}", path.display()))
}
