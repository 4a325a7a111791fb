//! The main job: explores cell after cell, keeps what it finds, and confirms each finding in a fresh worker.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};

use super::findings::{Finding, Findings, Origin};
use super::guide::{Gathered, Guide};
use super::interrupt;
use super::job::{Evolution, Job, Replay, Slice, Work};
use super::plan::{Cell, Cut, Plan, Share};
use super::replay::{FREE_ATTEMPTS, Seen};
use super::search::Search;
use super::seed::{schedule_seed, slice_seed};
use super::supervisor::{Ended, Evolved, Found, Supervisor};
use super::suspects::{PARTS, Suspects};
use super::targets::Targets;
use super::task_graphs::TaskGraphs;
use crate::case::Case;
use crate::settings::{Engine, Sanitizer, Settings};
use crate::target::{self, Workshop};
use crate::task_graph::Shape;

/// What a campaign is to do.
#[derive(Clone, Debug)]
pub struct Campaign {
    pub runtime: String,
    pub bug: Option<String>,
    pub sanitizers: Vec<Sanitizer>,
    pub threads: Vec<u16>,
    pub engine: Engine,
    pub search: Search,
    pub seed: u64,
    /// Of the task graphs.
    pub shape: Shape,
    pub jobs: usize,
    /// Begin no slice after so long.
    pub budget: Option<Duration>,
    /// Over all cells.
    pub executions: Option<u64>,
    pub findings: PathBuf,
}

/// What a campaign did.
pub struct Summary {
    pub cells: Vec<Cell>,
    pub executions: u64,
    pub task_graphs: u64,
    pub seconds: f64,
    pub findings: Vec<Finding>,
    /// Only of a coverage-guided search.
    pub corpus: Option<Gathered>,
    pub interrupted: bool,
    /// Why it ended early: the corpus could not be kept.
    pub failure: Option<Error>,
}

/// How far a campaign is.
pub struct Progress<'a> {
    pub elapsed: Duration,
    pub executions: u64,
    pub task_graphs: u64,
    pub findings: usize,
    /// The cell that was started last.
    pub cell: Option<&'a Cell>,
    pub building: Option<target::Progress>,
}

impl Progress<'_> {
    /// Before anything is executed.
    pub(super) fn of_building(elapsed: Duration, building: &target::Progress) -> Self {
        Self { elapsed, executions: 0, task_graphs: 0, findings: 0, cell: None, building: Some(building.clone()) }
    }
}

impl Campaign {
    /// Runs to the end of the time or the executions, or until Ctrl-C.
    ///
    /// # Errors
    /// The findings directory or the executables cannot be had, or a worker cannot do what it is asked.
    pub fn run(&self, workshop: &Workshop, mut observe: impl FnMut(&Progress<'_>)) -> Result<Summary> {
        let findings = Findings::open(&self.findings)?;
        let (cut, guide) = match &self.search {
            Search::Generational(_) => (Cut::Anywhere(self.engine), None),
            Search::CoverageGuided { feedback, corpus } => {
                let waits = self.budget.is_none();
                (Cut::CoverageGuided, Some(Guide::new(feedback, corpus.as_deref(), self.shape, waits)?))
            }
        };
        let target = workshop.runtime(&self.runtime, self.bug.as_deref())?;
        let mut targets = Targets::request(workshop, &target, &self.sanitizers)?;
        let plan = Plan::new(&self.sanitizers, &self.threads, cut, self.executions, self.budget, self.jobs);
        let mut state =
            State { campaign: self, findings, plan, guide, next: VecDeque::new(), over: false, failure: None };
        let mut supervisor = Supervisor::new(self.jobs)?;
        let task_graphs = self.task_graphs();
        // Since the first slice began; before that, there is nothing but building.
        let mut started: Option<Instant> = None;
        let elapsed = |started: Option<Instant>| started.map_or(Duration::ZERO, |started| started.elapsed());
        // Where its slices depend on those before, or on a corpus, all cells begin together.
        if let Some(guide) = &mut state.guide
            && (self.budget.is_none() || guide.has_inputs())
        {
            targets.wait(|building| {
                observe(&Progress::of_building(elapsed(started), building));
                !interrupt::requested()
            })?;
            self.recall(guide, &targets)?;
        }
        let mut cell = None;
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
                cell = Some(task.cell());
                started.get_or_insert_with(Instant::now);
                let (job, case) = state.job_of(&task, &targets);
                match (&mut state.guide, &job.work) {
                    (Some(guide), Work::Evolve(slice)) => {
                        let beginning = guide.beginning(task.cell(), job.settings.sanitizer, slice.seed, slice.count);
                        supervisor.start_evolving(task, job, &beginning)?;
                    }
                    _ => supervisor.start(task, job, case.as_ref())?,
                }
            }
            if supervisor.is_idle() && (targets.is_complete() || state.over) {
                break;
            }
            for (task, ended) in supervisor.poll()? {
                state.take_in(task, ended)?;
            }
            observe(&Progress {
                elapsed: elapsed(started),
                executions: state.plan.executions() + supervisor.under_way(),
                task_graphs: state.plan.task_graphs(task_graphs),
                findings: state.findings.len(),
                cell: cell.map(|index| &state.plan.cells[index]),
                building: targets.under_way(),
            });
        }
        supervisor.stop();
        if let Some(guide) = &mut state.guide
            && let Err(error) = guide.gather()
        {
            state.failure.get_or_insert(error);
        }
        Ok(Summary {
            executions: state.plan.executions(),
            task_graphs: state.plan.task_graphs(task_graphs),
            seconds: elapsed(started).as_secs_f64(),
            findings: state.findings.iter().cloned().collect(),
            corpus: state.guide.as_ref().map(Guide::gathered),
            cells: state.plan.cells,
            interrupted: interrupt::requested(),
            failure: state.failure,
        })
    }

    /// The task graphs of a generational search.
    fn task_graphs(&self) -> TaskGraphs {
        TaskGraphs::for_strategy(self.search.strategy(), self.shape)
    }

    fn settings(&self, cell: &Cell, seed: u64) -> Settings {
        Settings {
            runtime: self.runtime.clone(),
            threads: cell.threads,
            sanitizer: cell.sanitizer,
            engine: self.engine,
            strategy: self.search.strategy(),
            seed,
            bug: self.bug.clone(),
        }
    }
}

/// What a worker is started for.
enum Task {
    Explore(Share),
    /// Find the execution that lost memory; `found` is what is known so far.
    Narrow {
        suspects: Suspects,
        found: Box<Found>,
    },
    Confirm {
        origin: Origin,
        case: Box<Case>,
    },
}

impl Task {
    fn cell(&self) -> usize {
        match self {
            Self::Explore(share) => share.cell,
            Self::Narrow { suspects, .. } => suspects.cell(),
            Self::Confirm { origin, .. } => origin.cell,
        }
    }
}

struct State<'a> {
    campaign: &'a Campaign,
    findings: Findings,
    plan: Plan,
    guide: Option<Guide>,
    /// Comes before further slices.
    next: VecDeque<Task>,
    /// No slice is begun any more.
    over: bool,
    /// The corpus could not be kept.
    failure: Option<Error>,
}

impl State<'_> {
    fn must_end(&self) -> bool {
        self.failure.is_some()
    }

    fn next_task(&mut self, left: Option<Duration>, targets: &Targets<'_>) -> Option<Task> {
        if let Some(task) = self.next.pop_front() {
            return Some(task);
        }
        if let Some(guide) = &mut self.guide {
            let over = self.over || left.is_some_and(|left| left.is_zero()) || !self.plan.has_left();
            let known = || self.findings.iter().map(|finding| finding.fingerprint.clone()).collect();
            if over {
                return None;
            }
            match guide.may_begin(self.plan.begins_pass(), known) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.failure.get_or_insert(error);
                    return None;
                }
            }
        }
        let share = if self.over { None } else { self.plan.next(left, |sanitizer| targets.of(sanitizer).is_some()) };
        if let (Some(guide), Some(_)) = (&mut self.guide, share) {
            guide.begin();
        }
        share.map(Task::Explore)
    }

    /// Tasks are of cells whose targets are there.
    fn job_of(&self, task: &Task, targets: &Targets<'_>) -> (Job, Option<Case>) {
        let cell = &self.plan.cells[task.cell()];
        let target = targets.of(cell.sanitizer).expect("its target is there").clone();
        let slice = |share: &Share, leak_check_every: u64, limit_ms: Option<u64>| {
            let origin = Origin { cell: share.cell, execution: share.first };
            Work::Explore(Slice {
                seed: self.campaign.seed,
                first: share.first,
                count: share.count,
                limit_ms,
                task_graphs: self.campaign.task_graphs(),
                known: self.findings.known_before(origin),
                leak_check_every,
            })
        };
        let settings = self.campaign.settings(cell, self.campaign.seed);
        let explore = |work| (Job { settings, target: target.clone(), work }, None);
        let milliseconds = |limit: Duration| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        match (task, &self.guide) {
            (Task::Explore(share), Some(guide)) => explore(Work::Evolve(Evolution {
                seed: slice_seed(self.campaign.seed, share.cell, share.first),
                first: share.first,
                count: share.count,
                limit_ms: share.limit.map(milliseconds),
                shape: self.campaign.shape,
                feedback: guide.feedback.clone(),
                known: guide.known().to_vec(),
            })),
            (Task::Explore(share), None) => explore(slice(share, u64::MAX, share.limit.map(milliseconds))),
            (Task::Narrow { suspects, .. }, _) => {
                let every = suspects.count().div_ceil(PARTS);
                explore(match suspects {
                    Suspects::Slice(share) => slice(share, every, None),
                    Suspects::Inputs { inputs, .. } => {
                        Work::Narrow { inputs: inputs.iter().map(|(_, input)| input.clone()).collect(), every }
                    }
                })
            }
            (Task::Confirm { case, .. }, _) => {
                let job = Job {
                    settings: case.settings.clone(),
                    target,
                    work: Work::Replay(Replay { from: 0, times: FREE_ATTEMPTS }),
                };
                (job, Some((**case).clone()))
            }
        }
    }

    fn take_in(&mut self, task: Task, ended: Ended) -> Result<()> {
        match task {
            Task::Explore(share) => self.explored(share, ended),
            Task::Narrow { suspects, found } => self.narrowed(suspects, *found, ended),
            Task::Confirm { origin, case } => {
                let seen = Seen::of(&ended);
                if matches!(seen, Seen::Diverged(_)) {
                    self.plan.cells[origin.cell].diverged += 1;
                }
                self.findings.confirm(&case, origin, if seen.shows(&case) { None } else { Some(seen.to_string()) })
            }
        }
    }

    /// These workers were stopped, since the campaign is to end. What was found is still replayed, and nothing else done.
    fn stop(&mut self, workers: Vec<(Task, Ended)>) -> Result<()> {
        self.over = true;
        let mut tasks = std::mem::take(&mut self.next);
        for (task, ended) in workers {
            match task {
                Task::Explore(share) => self.explored(share, ended)?,
                Task::Narrow { .. } | Task::Confirm { .. } => tasks.push_back(task),
            }
        }
        for task in tasks {
            match task {
                Task::Narrow { suspects, found } => self.found(suspects.cell(), suspects.undecided(*found, true))?,
                Task::Explore(_) | Task::Confirm { .. } => self.next.push_back(task),
            }
        }
        Ok(())
    }

    fn explored(&mut self, share: Share, ended: Ended) -> Result<()> {
        let outcome = ended.outcome;
        if let Some(guide) = &mut self.guide {
            let Evolved { kept, cut_off, last, reached } = ended.evolved;
            if cut_off {
                let full = "there is no room for what workers keep; free some space in /dev/shm and TMPDIR";
                self.failure.get_or_insert_with(|| anyhow!(full));
            }
            if let Err(error) = guide.end_slice(ended.job.settings.sanitizer, kept, &reached) {
                self.failure.get_or_insert(error);
            }
            // Which one leaked is not known yet.
            let is_last = outcome.spent || (ended.found.is_some() && outcome.leaked.is_none());
            if let Some(input) = last.filter(|_| is_last) {
                guide.avoid(share.cell, &input);
            }
        }
        let cell = &mut self.plan.cells[share.cell];
        cell.executions += outcome.executions;
        cell.points += outcome.points;
        cell.seconds += outcome.seconds;
        cell.mutated += outcome.task_graphs;
        for (reason, count) in outcome.incomparable {
            *cell.incomparable.entry(reason).or_default() += count;
        }
        for (fingerprint, times) in outcome.repeated {
            cell.findings += times;
            self.findings.count(&fingerprint, times);
        }
        self.plan.give_back(
            share.cell,
            share.first + outcome.executions,
            share.count.saturating_sub(outcome.executions),
        );
        match (ended.found, outcome.leaked) {
            (Some(found), Some(window)) if window.count > 1 => {
                let suspects = match &mut self.guide {
                    Some(guide) => {
                        guide.begin();
                        Suspects::Inputs { cell: share.cell, inputs: outcome.suspects }
                    }
                    None => Suspects::Slice(share).within(window),
                };
                self.next.push_back(Task::Narrow { suspects, found: Box::new(found) });
                Ok(())
            }
            (Some(found), _) => self.found(share.cell, found),
            (None, _) => Ok(()),
        }
    }

    /// Suspects were executed again, with a look for leaks after every few.
    fn narrowed(&mut self, suspects: Suspects, before: Found, ended: Ended) -> Result<()> {
        let found = match (ended.found, ended.outcome.leaked) {
            (Some(found), Some(window)) if window.count > 1 && window.count < suspects.count() => {
                let (suspects, found) = (suspects.within(window), Box::new(found));
                self.next.push_back(Task::Narrow { suspects, found });
                return Ok(());
            }
            (Some(found), _) => suspects.numbered(found),
            (None, _) => suspects.undecided(before, false),
        };
        if let Some(guide) = &mut self.guide {
            guide.end();
            if let Some(input) = &found.input {
                guide.avoid(suspects.cell(), input);
            }
        }
        self.found(suspects.cell(), found)
    }

    fn found(&mut self, index: usize, mut found: Found) -> Result<()> {
        let cell = &mut self.plan.cells[index];
        cell.findings += 1;
        let execution = found.execution;
        let threads = cell.threads;
        let (seed, graph) = match found.input.take() {
            Some(input) => (input.seed, input.graph),
            None => (
                schedule_seed(self.campaign.seed, threads, execution),
                self.campaign.task_graphs().graph_of(self.campaign.seed, threads, execution),
            ),
        };
        let settings = self.campaign.settings(cell, seed);
        let origin = Origin { cell: index, execution };
        if let Some(case) = self.findings.add(found, origin, &settings, graph.into())? {
            self.next.push_back(Task::Confirm { origin, case: Box::new(case) });
        }
        Ok(())
    }
}
