//! Checks a C or C++ program: builds it for each sanitizer, explores its schedules, and explains what it finds.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow, bail, ensure};

use super::explain;
use super::findings::{Finding, Findings, Origin};
use super::interrupt;
use super::job::{Audited, CheckSlice, Comparison, Divergence, Job, Program, Work};
use super::known::Known;
use super::quota::Quota;
use super::replay::Seen;
use super::seed::schedule_seed;
use super::supervisor::{Ended, Found, Supervisor};
use super::targets::Targets;
use crate::case::Case;
use crate::check::{self, Check};
use crate::report::word;
use crate::settings::{Engine, Sanitizer, Settings, StrategyName};
use crate::target::{self, Workshop};

/// Executions that one worker makes. What a strategy learns lasts as long, so their number must not depend on time.
const SLICE: u64 = 50_000;
/// Where time is the limit, every sanitizer gets its turn at least so often.
const TURNS: u32 = 2;

/// What is to be checked, and how.
#[derive(Clone, Debug)]
pub struct Campaign {
    pub check: Check,
    pub sanitizers: Vec<Sanitizer>,
    pub engine: Engine,
    pub strategy: StrategyName,
    pub seed: u64,
    pub jobs: usize,
    /// Begin no slice after so long.
    pub budget: Option<Duration>,
    /// Over all sanitizers.
    pub executions: Option<u64>,
    /// End with the first finding.
    pub stop_at_first: bool,
    /// Execute each schedule twice and compare, in place of looking for bugs only.
    pub audit: bool,
    pub findings: PathBuf,
}

/// The executions under one sanitizer.
#[derive(Clone, Debug)]
pub struct Cell {
    pub sanitizer: Sanitizer,
    pub executions: u64,
    pub points: u64,
    pub seconds: f64,
    /// Findings, repeated ones too.
    pub findings: u64,
    /// The strategy has tried every schedule.
    pub exhausted: bool,
    quota: Quota,
    known: Known,
}

/// What a check came to.
pub struct Summary {
    pub cells: Vec<Cell>,
    pub executions: u64,
    /// Replays of an audit's schedules in other engines and under other sanitizers.
    pub compared: u64,
    pub seconds: f64,
    pub findings: Vec<Finding>,
    pub interrupted: bool,
    /// Why it could not go on: the program calls what is not emulated, or did not do the same twice in an audit.
    pub failure: Option<Error>,
}

/// How far it is.
pub struct Progress {
    pub elapsed: Duration,
    pub executions: u64,
    pub findings: usize,
    pub building: Option<target::Progress>,
}

impl Campaign {
    /// Runs to the end of the time or the executions, until every schedule was tried, or until Ctrl-C.
    ///
    /// # Errors
    /// The program does not compile, calls what is not emulated, or did not do the same twice in an audit; the findings
    /// directory or the executables cannot be had.
    pub fn run(&self, workshop: &Workshop, mut observe: impl FnMut(&Progress)) -> Result<Summary> {
        let mut targets = Targets::request(workshop, &self.check.target()?, &self.sanitizers)?;
        let mut cells = Vec::new();
        let count = self.sanitizers.len() as u64;
        for (index, &sanitizer) in (0..).zip(&self.sanitizers) {
            let quota = Quota::share(self.executions, index, count);
            cells.push(Cell::new(sanitizer, quota, Known::new(self.slice())));
        }
        let findings = Findings::open(&self.findings)?;
        let mut supervisor = Supervisor::new(self.jobs)?;
        let mut state = State {
            campaign: self,
            cells,
            findings,
            turn: 0,
            next: VecDeque::new(),
            over: false,
            failure: None,
            audited: Vec::new(),
        };
        // Since the first slice began; before that, there is nothing but building.
        let mut started: Option<Instant> = None;
        let elapsed = |started: Option<Instant>| started.map_or(Duration::ZERO, |started| started.elapsed());
        let mut deadline = interrupt::Deadline::default();
        while !deadline.has_passed() {
            if !state.over && (interrupt::requested() || state.must_end()) {
                state.stop(supervisor.stop())?;
            }
            targets.poll()?;
            let left = self.budget.map(|budget| targets.left_of(budget));
            while supervisor.has_room_beside(targets.compilers())
                && let Some(task) = state.next_task(left, &targets)
            {
                started.get_or_insert_with(Instant::now);
                let (job, case) = state.job_of(&task, left, &targets);
                supervisor.start(task, job, case.as_ref())?;
            }
            if supervisor.is_idle() && (targets.is_complete() || state.over) {
                break;
            }
            for (task, ended) in supervisor.poll()? {
                state.take_in(task, ended, &mut supervisor)?;
            }
            observe(&Progress {
                elapsed: elapsed(started),
                executions: state.executions() + supervisor.under_way(),
                findings: state.findings.len(),
                building: targets.under_way(),
            });
        }
        supervisor.stop();
        let compared = if self.audit && state.failure.is_none() {
            self.compare(&state, &targets, workshop.toolchain.is_clang)?
        } else {
            0
        };
        Ok(Summary {
            executions: state.executions(),
            compared,
            seconds: elapsed(started).as_secs_f64(),
            findings: state.findings.iter().cloned().collect(),
            cells: state.cells,
            interrupted: interrupt::requested(),
            failure: state.failure,
        })
    }

    /// Executions of a slice. What an exhaustive search knows is lost with its worker, so it has but one.
    fn slice(&self) -> u64 {
        if self.strategy.is_exhaustive() { u64::MAX } else { SLICE }
    }

    /// The time of a worker, where time is the limit.
    fn longest_slice(&self) -> Duration {
        let budget = self.budget.filter(|_| !self.strategy.is_exhaustive()).unwrap_or(Duration::MAX);
        let workers = u32::try_from(self.jobs.min(self.sanitizers.len())).unwrap_or(u32::MAX);
        budget / (TURNS * self.sanitizers.len() as u32).div_ceil(workers)
    }

    /// Replays what the audit executed with every controlled engine under every sanitizer, each in fresh processes.
    fn compare(&self, state: &State<'_>, targets: &Targets<'_>, has_fibers: bool) -> Result<u64> {
        let mut supervisor = Supervisor::new(self.jobs)?;
        let engines = [Engine::Fibers, Engine::Threads];
        let engines = engines.into_iter().filter(|engine| *engine != Engine::Fibers || has_fibers);
        let pairs = engines.flat_map(|engine| (0..state.cells.len()).map(move |cell| (cell, engine)));
        let mut waiting: VecDeque<(usize, Engine, usize)> = pairs.map(|(cell, engine)| (cell, engine, 0)).collect();
        let mut compared = 0;
        while !interrupt::requested() {
            while supervisor.has_room()
                && let Some((cell, engine, first)) = waiting.pop_front()
            {
                if first >= state.audited.len() {
                    continue;
                }
                let Some(target) = targets.of(state.cells[cell].sanitizer).cloned() else { continue };
                let comparison = Comparison {
                    program: Program::of(&self.check),
                    first: first as u64,
                    audited: state.audited[first..].to_vec(),
                };
                let settings = Settings { engine, ..self.settings(state.cells[cell].sanitizer, self.seed) };
                let job = Job { settings, target, work: Work::Compare(comparison) };
                supervisor.start((cell, engine, first), job, None)?;
            }
            if supervisor.is_idle() {
                break;
            }
            for ((cell, engine, first), ended) in supervisor.poll()? {
                let done = ended.outcome.executions;
                // A sanitizer that ends the process has seen more than the others could; that schedule is not compared.
                compared += done.saturating_sub(u64::from(ended.found.is_some()));
                ensure!(done > 0 || ended.found.is_some(), "a worker that was to replay schedules made none");
                if let Some(Divergence { step, why }) = &ended.outcome.diverged {
                    let settings = &ended.job.settings;
                    let number = first as u64 + done;
                    let under = format!("{} under {}", word(&settings.engine), word(&settings.sanitizer));
                    bail!("schedule {number} replayed with {under} diverged at step {step}: {why}");
                }
                waiting.push_back((cell, engine, first + done.max(1) as usize));
            }
        }
        Ok(compared)
    }

    fn settings(&self, sanitizer: Sanitizer, seed: u64) -> Settings {
        Settings {
            runtime: check::RUNTIME.to_owned(),
            threads: 1,
            sanitizer,
            engine: self.engine,
            strategy: self.strategy,
            seed,
            bug: None,
        }
    }
}

impl Cell {
    /// One in which nothing was executed.
    #[cfg(test)]
    pub(crate) fn of(sanitizer: Sanitizer) -> Self {
        Self::new(sanitizer, Quota::new(None), Known::new(1))
    }

    fn new(sanitizer: Sanitizer, quota: Quota, known: Known) -> Self {
        Self { sanitizer, executions: 0, points: 0, seconds: 0.0, findings: 0, exhausted: false, quota, known }
    }

    /// Hands out the next executions: the first and how many, at most `most`.
    fn take(&mut self, most: u64) -> Option<(u64, u64)> {
        if self.exhausted { None } else { self.quota.take(most) }
    }

    fn count(&mut self, ended: &Ended) {
        self.executions += ended.outcome.executions;
        self.points += ended.outcome.points;
        self.seconds += ended.outcome.seconds;
        self.exhausted |= ended.outcome.exhausted;
    }
}

/// What a worker is started for.
enum Task {
    /// Executions `first .. first + count` of a cell.
    Explore { cell: usize, first: u64, count: u64 },
    /// A finding is replayed, to confirm and explain it.
    Explain { origin: Origin, case: Box<Case> },
}

struct State<'a> {
    campaign: &'a Campaign,
    cells: Vec<Cell>,
    findings: Findings,
    /// The cell that is handed out next.
    turn: usize,
    /// Comes before further slices.
    next: VecDeque<Task>,
    /// No slice is begun any more.
    over: bool,
    /// Why the check cannot go on.
    failure: Option<Error>,
    /// What the audit executed under the first sanitizer.
    audited: Vec<Audited>,
}

impl State<'_> {
    fn executions(&self) -> u64 {
        self.cells.iter().map(|cell| cell.executions).sum()
    }

    fn must_end(&self) -> bool {
        self.failure.is_some() || (self.campaign.stop_at_first && !self.findings.is_empty())
    }

    fn next_task(&mut self, left: Option<Duration>, targets: &Targets<'_>) -> Option<Task> {
        if let Some(task) = self.next.pop_front() {
            return Some(task);
        }
        if self.over || left.is_some_and(|left| left.is_zero()) {
            return None;
        }
        for _ in 0..self.cells.len() {
            let cell = self.turn;
            self.turn = (self.turn + 1) % self.cells.len();
            let is_ready = targets.of(self.cells[cell].sanitizer).is_some();
            if is_ready && let Some((first, count)) = self.cells[cell].take(self.campaign.slice()) {
                return Some(Task::Explore { cell, first, count });
            }
        }
        None
    }

    /// Tasks are of cells whose targets are there.
    fn job_of(&mut self, task: &Task, left: Option<Duration>, targets: &Targets<'_>) -> (Job, Option<Case>) {
        let program = Program::of(&self.campaign.check);
        let target = |cell: &Cell| targets.of(cell.sanitizer).expect("its target is there").clone();
        match task {
            Task::Explore { cell, first, count } => {
                let cell = &mut self.cells[*cell];
                let known = cell.known.slice_of(*first);
                let limit = left.map(|left| left.min(self.campaign.longest_slice()));
                let slice = CheckSlice {
                    program,
                    seed: self.campaign.seed,
                    first: *first,
                    count: *count,
                    limit_ms: limit.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
                    known: known.fingerprints.iter().cloned().collect(),
                    known_reports: known.reports.iter().copied().collect(),
                    stop_at_first: self.campaign.stop_at_first,
                    audit: self.campaign.audit,
                };
                let settings = self.campaign.settings(cell.sanitizer, self.campaign.seed);
                (Job { settings, target: target(cell), work: Work::Check(slice) }, None)
            }
            Task::Explain { origin, case } => {
                let (settings, target) = (case.settings.clone(), target(&self.cells[origin.cell]));
                (Job { settings, target, work: Work::ReplayCheck(program) }, Some((**case).clone()))
            }
        }
    }

    fn take_in(&mut self, task: Task, ended: Ended, supervisor: &mut Supervisor<Task>) -> Result<()> {
        match task {
            Task::Explore { cell, first, count } => self.explored(cell, first, count, ended),
            Task::Explain { origin, case } => {
                let seen = Seen::of(&ended);
                let instead = if seen.shows(&case) { None } else { Some(seen.to_string()) };
                let object = &ended.job.target.object;
                let ending = case.report.lines().next().unwrap_or_default();
                let text = explain::interleaving(&ended.outcome.steps, object, supervisor.symbols(), ending);
                self.findings.confirm_and_explain(&case, origin, instead, text)
            }
        }
    }

    /// These workers were stopped, since the check is to end. What was found is still replayed.
    fn stop(&mut self, workers: Vec<(Task, Ended)>) -> Result<()> {
        self.over = true;
        for (task, ended) in workers {
            match task {
                Task::Explore { cell, first, count } => self.explored(cell, first, count, ended)?,
                Task::Explain { .. } => self.next.push_front(task),
            }
        }
        Ok(())
    }

    fn explored(&mut self, index: usize, first: u64, count: u64, ended: Ended) -> Result<()> {
        let failure = match (&ended.outcome.unsupported, &ended.outcome.diverged) {
            (Some(what), _) => {
                Some(anyhow!("the program calls `{what}`, which is not emulated; docs/limits.md lists what is"))
            }
            (None, Some(divergence)) => Some(anyhow!("at step {}: {}", divergence.step, divergence.why)),
            (None, None) => None,
        };
        if let Some(failure) = failure {
            self.failure.get_or_insert(failure);
        }
        let cell = &mut self.cells[index];
        cell.count(&ended);
        if index == 0 {
            self.audited.extend(ended.outcome.audited);
        }
        let done = ended.outcome.executions;
        cell.quota.give_back(first + done, count.saturating_sub(done));
        let slice = cell.known.slice_of(first);
        let failed = ended.outcome.earlier.iter().chain(&ended.outcome.failed);
        slice.reports.extend(failed.flat_map(|failed| &failed.signatures));
        let mut founds: Vec<Found> = ended.earlier.into_iter().chain(ended.found).collect();
        founds.iter_mut().for_each(|found| slice.settle(&mut found.failures));
        for found in founds {
            self.found(index, found)?;
        }
        // After those that they repeat.
        for (fingerprint, times) in &ended.outcome.repeated {
            self.cells[index].findings += times;
            self.findings.count(fingerprint, *times);
        }
        Ok(())
    }

    fn found(&mut self, index: usize, found: Found) -> Result<()> {
        let cell = &mut self.cells[index];
        cell.findings += 1;
        let execution = found.execution;
        let settings = self.campaign.settings(cell.sanitizer, schedule_seed(self.campaign.seed, 1, execution));
        let workload = self.campaign.check.clone().into();
        let origin = Origin { cell: index, execution };
        if let Some(case) = self.findings.add(found, origin, &settings, workload)? {
            self.next.push_back(Task::Explain { origin, case: Box::new(case) });
        }
        Ok(())
    }
}
