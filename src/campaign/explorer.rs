//! The explorer: hands out slices of a campaign to workers, keeps what they find, and confirms each finding in a fresh
//! worker. It is the same for every target and every [`search`].

mod campaign;
mod minimising;
#[cfg(test)]
pub mod sample;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};

pub use campaign::Campaign;

use super::corpus::Gathered;
use super::findings::{Finding, Findings, Origin};
use super::job::{Audited, Job, Outcome, Replay, Work};
use super::minimise::Minimising;
use super::plan::{Cell, Plan, Share};
use super::replay::{FREE_ATTEMPTS, Seen};
use super::search::{self, Search};
use super::supervisor::{Ended, Found, Supervisor};
use super::suspects::Suspects;
use super::targets::Targets;
use super::{account, audit, interrupt, prebuilt, unseen};
use crate::case::Case;
use crate::model::schedule::Schedule;
use crate::model::settings::Engine;
use crate::target::prebuilt::Prebuilt;
use crate::target::{self, Workshop};

/// What a campaign did.
pub struct Summary {
    pub cells: Vec<Cell>,
    pub executions: u64,
    /// Different ones; none of a program.
    pub task_graphs: u64,
    /// Replays of an audit's schedules in other engines and under other sanitizers.
    pub compared: u64,
    pub seconds: f64,
    /// The one that was used.
    pub engine: Engine,
    /// Of what is linked into the target or loaded with it.
    pub prebuilt: Vec<Prebuilt>,
    /// What task graphs did without, since the runtime does not offer it.
    pub not_offered: Vec<&'static str>,
    pub findings: Vec<Finding>,
    /// Only of a coverage-guided search.
    pub corpus: Option<Gathered>,
    pub interrupted: bool,
    /// Slices and replays that were begun again, since another process ended their worker.
    pub begun_again: u64,
    /// Why it ended early: the target calls what is not emulated, or did not do the same twice in an audit; a finding or the
    /// corpus could not be kept; a worker could not do what it was asked.
    pub failure: Option<Error>,
}

/// How far a campaign is.
#[derive(Default)]
pub struct Progress<'a> {
    pub elapsed: Duration,
    pub executions: u64,
    /// Of a runtime.
    pub task_graphs: Option<u64>,
    pub findings: usize,
    /// The cell that was started last.
    pub cell: Option<&'a Cell>,
    pub building: Option<target::Progress>,
    /// Of the schedule that is made small now.
    pub minimising: Option<&'a Minimising>,
}

impl Campaign {
    /// Runs to the end of the time or the executions, until every schedule was tried, or until Ctrl-C.
    ///
    /// # Errors
    /// The target does not compile, the findings directory or the executables cannot be had, a worker cannot do what it is
    /// asked, or a schedule did not come to the same twice in an audit.
    pub fn run(&self, workshop: &Workshop, mut observe: impl FnMut(&Progress<'_>)) -> Result<Summary> {
        search::check(self)?;
        let searched = self.searched.target(workshop)?;
        let wanted = self.sanitizers.iter().map(|sanitizer| (self.target(&searched, *sanitizer), *sanitizer));
        let mut targets = Targets::request(workshop, wanted)?;
        targets.look_into_first(|building| {
            let building = Some(building.clone());
            observe(&Progress { building, ..Progress::default() });
            !interrupt::requested()
        })?;
        let engine = prebuilt::engine(self.engine, self.engine_is_given, targets.prebuilt())?;
        let offers = targets.offers();
        let campaign = Self { engine, searched: self.searched.offering(offers), ..self.clone() };
        let mut summary = campaign.explore(search::of(&campaign)?, &mut targets, observe)?;
        if self.audit && summary.0.failure.is_none() {
            let has_fibers = workshop.toolchain.is_clang && !prebuilt::needs_threads(targets.prebuilt());
            let engines = [Engine::Fibers, Engine::Threads];
            let engines = engines.into_iter().filter(|engine| *engine != Engine::Fibers || has_fibers);
            summary.0.compared = audit::compare(&campaign, &summary.1, &summary.0.cells, &targets, engines)?;
        }
        unseen::note(&mut summary.0, &campaign.searched, workshop);
        Ok(summary.0)
    }

    /// Explores, and gives what an audit kept by thread count.
    fn explore(
        &self,
        search: Box<dyn Search>,
        targets: &mut Targets<'_>,
        mut observe: impl FnMut(&Progress<'_>),
    ) -> Result<(Summary, BTreeMap<u16, Vec<Audited>>)> {
        let mut explorer = Explorer {
            campaign: self,
            plan: Plan::new(&self.sanitizers, &self.threads, search.cut(), self.executions, self.budget, self.jobs),
            findings: Findings::open(&self.findings)?,
            search,
            next: VecDeque::new(),
            over: false,
            failure: None,
            audited: BTreeMap::new(),
            prebuilt: targets.prebuilt().to_vec(),
        };
        let mut supervisor = Supervisor::new(self.jobs)?;
        // Since the first slice began; before that, there is nothing but building.
        let mut started: Option<Instant> = None;
        let elapsed = |started: Option<Instant>| started.map_or(Duration::ZERO, |started| started.elapsed());
        if explorer.search.needs_all_targets() {
            targets.wait(|building| {
                observe(&Progress { building: Some(building.clone()), ..explorer.progress(Duration::ZERO, 0, None) });
                !interrupt::requested()
            })?;
            explorer.search.prepare(self, targets)?;
        }
        let mut cell = None;
        let mut deadline = interrupt::Deadline::default();
        while !deadline.has_passed() {
            if !explorer.over && (interrupt::requested() || explorer.must_end()) {
                let stopped = explorer.stop(supervisor.stop());
                explorer.note(stopped);
            }
            targets.poll()?;
            let left = self.budget.map(|budget| targets.left_of(budget));
            while supervisor.has_room_beside(targets.compilers())
                && let Some(task) = explorer.next_task(left, targets)
            {
                cell = Some(task.cell());
                started.get_or_insert_with(Instant::now);
                let begun = explorer.start(task, targets, &mut supervisor);
                explorer.note(begun);
            }
            if supervisor.is_idle() && (targets.is_complete() || explorer.over) {
                break;
            }
            for (task, ended) in supervisor.poll_each()? {
                let taken = ended.and_then(|ended| explorer.take_in(task, ended, &mut supervisor));
                explorer.note(taken);
            }
            let building = targets.under_way();
            observe(&Progress { building, ..explorer.progress(elapsed(started), supervisor.under_way(), cell) });
        }
        supervisor.stop();
        let (seconds, cell) = (elapsed(started), None);
        explorer.minimise(targets, |findings, minimising| {
            let so_far = Progress { minimising: Some(minimising), findings, ..Progress::default() };
            observe(&Progress { elapsed: seconds, cell, ..so_far });
        });
        Ok(explorer.conclude(seconds, supervisor.begun_again()))
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
    /// A finding is replayed, to confirm and explain it.
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

struct Explorer<'a> {
    campaign: &'a Campaign,
    plan: Plan,
    findings: Findings,
    search: Box<dyn Search>,
    /// Comes before further slices.
    next: VecDeque<Task>,
    /// No slice is begun any more.
    over: bool,
    /// Why the campaign cannot go on.
    failure: Option<Error>,
    /// What an audit executed under the first sanitizer, by thread count.
    audited: BTreeMap<u16, Vec<Audited>>,
    prebuilt: Vec<Prebuilt>,
}

impl Explorer<'_> {
    /// Whatever cannot be done ends the campaign, but what it came to until then is told.
    fn note(&mut self, done: Result<()>) {
        if let Err(error) = done {
            self.failure.get_or_insert(error);
        }
    }

    fn must_end(&self) -> bool {
        self.failure.is_some() || (self.campaign.stop_at_first && !self.findings.is_empty())
    }

    fn progress(&self, elapsed: Duration, under_way: u64, cell: Option<usize>) -> Progress<'_> {
        let is_of_program = self.campaign.is_of_program();
        Progress {
            elapsed,
            executions: self.plan.executions() + under_way,
            task_graphs: (!is_of_program).then(|| self.search.task_graphs(&self.plan.cells)),
            findings: self.findings.len(),
            cell: cell.map(|index| &self.plan.cells[index]),
            building: None,
            minimising: None,
        }
    }

    fn next_task(&mut self, left: Option<Duration>, targets: &Targets<'_>) -> Option<Task> {
        if let Some(task) = self.next.pop_front() {
            return Some(task);
        }
        if self.over || self.must_end() {
            return None;
        }
        let is_ready = |sanitizer| targets.of(sanitizer).is_some();
        match self.search.next(&mut self.plan, left, &is_ready, &self.findings) {
            Ok(share) => share.map(Task::Explore),
            Err(error) => {
                self.failure.get_or_insert(error);
                None
            }
        }
    }

    /// Starts the worker of a task, whose target is there.
    fn start(&mut self, task: Task, targets: &Targets<'_>, supervisor: &mut Supervisor<Task>) -> Result<()> {
        let cell = &self.plan.cells[task.cell()];
        let sanitizer = cell.sanitizer;
        let (mut settings, mut given) = (self.campaign.settings(cell, self.campaign.seed), None);
        let work = match &task {
            Task::Explore(share) => self.search.work(share, &self.findings),
            Task::Narrow { suspects, .. } => suspects.work(|share| self.search.work(share, &self.findings)),
            Task::Confirm { case, .. } => {
                settings = case.settings.clone();
                given = Some((**case).clone());
                Work::Replay(Replay { from: 0, times: FREE_ATTEMPTS, explains: false })
            }
        };
        let target = targets.of(sanitizer).expect("its target is there").clone();
        let job = Job { settings, target, work };
        if let Task::Explore(share) = task
            && let Some(beginning) = self.search.beginning(&share, sanitizer)
        {
            return supervisor.start_evolving(task, job, &beginning);
        }
        supervisor.start(task, job, given.as_ref())
    }

    fn take_in(&mut self, task: Task, ended: Ended, supervisor: &mut Supervisor<Task>) -> Result<()> {
        match task {
            Task::Explore(share) => self.explored(share, ended),
            Task::Narrow { suspects, found } => self.narrowed(suspects, *found, ended),
            Task::Confirm { origin, case } => {
                let seen = Seen::of(&ended);
                if matches!(seen, Seen::Diverged(_)) {
                    self.plan.cells[origin.cell].diverged += 1;
                }
                let instead = if seen.confirms(&case) { None } else { Some(seen.to_string()) };
                let object = &ended.job.target.object;
                let steps = &ended.outcome.steps;
                let mut explanation = account::interleaving(steps, object, supervisor.symbols(), &case.report);
                explanation.extend(prebuilt::doubt(case.verdict, &self.prebuilt));
                self.findings.confirm(&case, origin, instead, explanation)
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

    fn explored(&mut self, share: Share, mut ended: Ended) -> Result<()> {
        let of_search = self.search.ended(&share, &mut ended).err();
        self.failure = self.failure.take().or(of_search).or_else(|| why_not(&ended.outcome));
        let Ended { mut outcome, found, earlier, .. } = ended;
        let cell = &mut self.plan.cells[share.cell];
        cell.count(&outcome);
        if cell.sanitizer == self.campaign.sanitizers[0] {
            self.audited.entry(cell.threads).or_default().append(&mut outcome.audited);
        }
        let done = outcome.executions;
        self.plan.give_back(share.cell, share.first + done, share.count.saturating_sub(done));
        for found in earlier {
            self.found(share.cell, found)?;
        }
        match (found, outcome.leaked) {
            (Some(found), Some(window)) if window.count > 1 => {
                let suspects = self.search.suspects(share, window, &mut outcome);
                self.next.push_back(Task::Narrow { suspects, found: Box::new(found) });
            }
            (Some(found), _) => self.found(share.cell, found)?,
            (None, _) => {}
        }
        // After those that they repeat.
        for (fingerprint, times) in outcome.repeated {
            self.plan.cells[share.cell].findings += times;
            self.findings.count(&fingerprint, times);
        }
        Ok(())
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
        self.search.narrowed(suspects.cell(), &found);
        self.found(suspects.cell(), found)
    }

    fn found(&mut self, index: usize, mut found: Found) -> Result<()> {
        let cell = &mut self.plan.cells[index];
        cell.findings += 1;
        let (workload, seed) = self.search.failed(&mut found, cell);
        let settings = self.campaign.settings(cell, seed);
        let is_weak = found.schedule.as_ref().is_some_and(Schedule::is_weak);
        let origin = Origin { is_weak, cell: index, execution: found.execution };
        let most = if self.campaign.stop_at_first { 1 } else { usize::MAX };
        for found in found.each().take(most) {
            if let Some(case) = self.findings.add(found, origin, &settings, workload.clone())? {
                self.next.push_back(Task::Confirm { origin, case: Box::new(case) });
            }
        }
        Ok(())
    }

    fn conclude(mut self, elapsed: Duration, begun_again: u64) -> (Summary, BTreeMap<u16, Vec<Audited>>) {
        let corpus = self.search.finish().unwrap_or_else(|error| {
            self.failure.get_or_insert(error);
            None
        });
        let summary = Summary {
            executions: self.plan.executions(),
            task_graphs: self.search.task_graphs(&self.plan.cells),
            compared: 0,
            seconds: elapsed.as_secs_f64(),
            engine: self.campaign.engine,
            prebuilt: self.prebuilt,
            not_offered: self
                .campaign
                .searched
                .runtime()
                .map_or_else(Vec::new, |runtime| runtime.shape.offers.left_out()),
            findings: self.findings.iter().cloned().collect(),
            corpus,
            cells: self.plan.cells,
            interrupted: interrupt::requested(),
            begun_again,
            failure: self.failure,
        };
        (summary, self.audited)
    }
}

/// Why a campaign cannot go on after a slice that came to this.
fn why_not(outcome: &Outcome) -> Option<Error> {
    if let Some(why) = &outcome.refused {
        return Some(anyhow!("{why}"));
    }
    outcome.diverged.as_ref().map(|divergence| anyhow!("at step {}: {}", divergence.step, divergence.why))
}
