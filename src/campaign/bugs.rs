//! Measures the seeded bugs: how many executions it takes to find each, with control and without.

use std::collections::{BTreeMap, VecDeque};

use anyhow::Result;

use super::catalogue::Entry;
use super::corpus::Corpus;
use super::findings;
use super::interrupt;
use super::job::{Evolution, Executed, Job, Slice, Work};
use super::known::Known;
use super::supervisor::{Beginning, Ended, Supervisor};
use super::task_graphs::TaskGraphs;
use crate::case::Case;
use crate::feedback::Features;
use crate::feedback::Kind;
use crate::input::Input;
use crate::model::settings::{Engine, MemoryModel, Races, Sanitizer, Settings, StrategyName};
use crate::model::splitmix::splitmix64;
use crate::model::verdict::{Failure, OracleName};
use crate::target::{Builds, Built, Progress, Target, Workshop};
use crate::task_graph::Shape;

/// What to measure.
pub struct Measurement {
    pub entries: Vec<&'static Entry>,
    /// Searches for each bug, each with a seed of its own.
    pub trials: u64,
    /// Executions after which a search is given up.
    pub cap: u64,
    /// Search without control too.
    pub free: bool,
    /// What guides the searches, which are generational if it is `None`.
    pub feedback: Option<Vec<Kind>>,
    pub runtime: String,
    pub engine: Engine,
    /// Of the task graphs.
    pub shape: Shape,
    pub jobs: usize,
}

/// The searches for one bug with one engine.
#[derive(Clone, Debug, Default)]
pub struct Searches {
    pub trials: u64,
    /// Executions that each successful search took.
    pub executions: Vec<u64>,
    /// Who found it how often.
    pub oracles: BTreeMap<OracleName, u64>,
    /// Findings that are not of this bug.
    pub others: Vec<Failure>,
    /// What the first search found.
    pub case: Option<Case>,
}

impl Searches {
    /// Searches that found the bug.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.executions.len() as u64
    }

    /// The median over the searches that found it.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        let mut sorted = self.executions.clone();
        sorted.sort_unstable();
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => None,
            length if length % 2 == 1 => Some(sorted[middle] as f64),
            _ => Some((sorted[middle - 1] + sorted[middle]) as f64 / 2.0),
        }
    }

    /// The mean over the searches that found it.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let sum: u64 = self.executions.iter().sum();
        (!self.executions.is_empty()).then(|| sum as f64 / self.executions.len() as f64)
    }

    /// Who found it most often.
    #[must_use]
    pub fn oracle(&self) -> Option<OracleName> {
        self.oracles.iter().max_by_key(|(_, times)| **times).map(|(oracle, _)| *oracle)
    }
}

/// What was measured of one bug.
pub struct Measured {
    pub entry: &'static Entry,
    pub controlled: Searches,
    pub free: Option<Searches>,
}

/// The geometric mean of the mean executions of each bug; `None` if there is one that was never found.
#[must_use]
pub fn geometric_mean(measured: &[Measured]) -> Option<f64> {
    let means: Option<Vec<f64>> = measured.iter().map(|bug| bug.controlled.mean()).collect();
    let means = means.filter(|means| !means.is_empty())?;
    Some((means.iter().map(|mean| mean.ln()).sum::<f64>() / means.len() as f64).exp())
}

/// The same executions with every bug off.
#[derive(Clone, Debug, Default)]
pub struct Clean {
    pub executions: u64,
    pub findings: Vec<Failure>,
}

/// What a worker is started for.
#[derive(Clone, Debug)]
enum Task {
    /// Search on from this execution.
    Search { bug: usize, trial: u64, free: bool, from: u64 },
    /// Execute what found the bug once more, with the bug off.
    Acquit { bug: usize, trial: u64, execution: u64, input: Option<Box<Input>> },
    /// As many executions as a search, with the bug off.
    Clean { bug: usize, from: u64 },
}

impl Task {
    /// The bug and trial that inputs are kept for, of a task that searches on from them.
    fn search(&self) -> Option<(usize, u64)> {
        match *self {
            Self::Search { bug, trial, free: false, .. } => Some((bug, trial)),
            _ => None,
        }
    }
}

/// The runtime with each bug and without any, for the sanitizers that they are looked for with.
pub struct Targets {
    /// By the bug.
    targets: BTreeMap<Option<String>, Target>,
    builds: Builds,
}

impl Targets {
    fn of(&self, settings: &Settings) -> Result<&Built> {
        self.builds.of(&self.targets[&settings.bug], settings.sanitizer)
    }
}

impl Measurement {
    /// Builds what the searches execute.
    ///
    /// # Errors
    /// Something does not compile.
    pub fn build(&self, workshop: &Workshop, observe: impl FnMut(&Progress) -> bool) -> Result<Targets> {
        let mut targets = BTreeMap::new();
        let mut wanted = Vec::new();
        for entry in &self.entries {
            for bug in [None, Some(entry.name)] {
                let target = workshop.runtime(&self.runtime, bug)?;
                wanted.push((target.clone(), entry.sanitizer));
                targets.insert(bug.map(str::to_owned), target);
            }
        }
        Ok(Targets { targets, builds: workshop.build_all(wanted, observe)? })
    }

    /// Runs all searches; `observe` is told how many are done and how many there are.
    ///
    /// # Errors
    /// A worker cannot do what it is asked.
    pub fn run(&self, targets: &Targets, mut observe: impl FnMut(u64, u64)) -> Result<(Vec<Measured>, Clean)> {
        let mut supervisor = Supervisor::new(self.jobs)?;
        let fresh = || Searches { trials: self.trials, ..Searches::default() };
        let measured = |entry: &&'static Entry| Measured { entry, controlled: fresh(), free: self.free.then(fresh) };
        let mut results: Vec<Measured> = self.entries.iter().map(measured).collect();
        let mut clean = Clean::default();
        let mut corpora = BTreeMap::new();
        let mut waiting = self.tasks();
        let total = waiting.len() as u64;
        let mut done = 0;
        while !interrupt::requested() {
            while supervisor.has_room()
                && let Some(task) = waiting.pop_front()
            {
                let job = self.job_of(&task, targets)?;
                match task.search().and_then(|search| corpora.get(&search)) {
                    Some(corpus) => {
                        let inputs: &Corpus = corpus;
                        let inputs = inputs.iter().map(|(_, input)| input).collect();
                        supervisor.start_evolving(task, job, &Beginning { inputs, reached: &Features::default() })?;
                    }
                    None => supervisor.start(task, job, None)?,
                }
            }
            if supervisor.is_idle() {
                break;
            }
            for (task, ended) in supervisor.poll()? {
                if let Some(search) = task.search().filter(|_| !ended.evolved.kept.is_empty()) {
                    corpora.entry(search).or_insert_with(Corpus::default).extend(&ended.evolved.kept)?;
                }
                match self.take_in(task, ended, &mut results, &mut clean) {
                    Some(next) => waiting.push_front(next),
                    None => done += 1,
                }
            }
            observe(done, total);
        }
        Ok((results, clean))
    }

    fn tasks(&self) -> VecDeque<Task> {
        let mut tasks = VecDeque::new();
        let mut circumstances: Vec<(Sanitizer, u16, StrategyName, MemoryModel)> = Vec::new();
        for (bug, entry) in self.entries.iter().enumerate() {
            for trial in 0..self.trials {
                tasks.push_back(Task::Search { bug, trial, free: false, from: 0 });
                if self.free {
                    tasks.push_back(Task::Search { bug, trial, free: true, from: 0 });
                }
            }
            let circumstance = (entry.sanitizer, entry.threads, entry.strategy, entry.memory);
            if !circumstances.contains(&circumstance) {
                circumstances.push(circumstance);
                tasks.push_back(Task::Clean { bug, from: 0 });
            }
        }
        tasks
    }

    fn job_of(&self, task: &Task, targets: &Targets) -> Result<Job> {
        let (bug, trial, free, buggy, first, count) = match *task {
            Task::Search { bug, trial, free, from } => (bug, trial, free, true, from, self.cap - from),
            Task::Acquit { bug, trial, execution, .. } => (bug, trial, false, false, execution, 1),
            Task::Clean { bug, from } => (bug, 0, false, false, from, self.cap - from),
        };
        let entry = self.entries[bug];
        let feedback = self.feedback.as_ref().filter(|_| !free);
        let settings = Settings {
            runtime: self.runtime.clone(),
            threads: entry.threads,
            sanitizer: entry.sanitizer,
            engine: if free { Engine::Free } else { self.engine },
            strategy: if feedback.is_some() { StrategyName::Bytes } else { entry.strategy },
            seed: trial_seed(trial),
            // Without control it is that of the machine.
            memory: if free { MemoryModel::Sc } else { entry.memory },
            races: Races::Off,
            bug: buggy.then(|| entry.name.to_owned()),
        };
        let (seed, shape) = (trial_seed(trial), self.shape);
        let work = match (task, feedback) {
            (Task::Acquit { input: Some(input), .. }, _) => Work::Narrow { inputs: vec![input.encode()], every: 1 },
            (_, Some(feedback)) => {
                let (known, feedback) = (Known::default(), feedback.clone());
                Work::Evolve(Evolution { seed: seed ^ first, first, count, limit_ms: None, shape, feedback, known })
            }
            (_, None) => {
                let task_graphs = TaskGraphs::for_strategy(settings.strategy, shape);
                Work::Explore(Slice::to_measure(Executed::TaskGraphs(task_graphs), seed, first, count))
            }
        };
        let target = targets.of(&settings)?.clone();
        Ok(Job { settings, target, work })
    }

    /// Gives the task that follows from how this one ended, if any.
    fn take_in(&self, task: Task, ended: Ended, results: &mut [Measured], clean: &mut Clean) -> Option<Task> {
        // A leak is seen only at the end of the executions that may have made it.
        let last = ended.outcome.leaked.map(|window| window.first + window.count - 1);
        let execution = ended.found.as_ref().map(|found| last.unwrap_or(found.execution));
        let failure = ended.found.as_ref().and_then(|found| found.failures.first().cloned());
        let done = ended.outcome.executions;
        match task {
            // A crash that was asked for, and a stop that is right, use a worker up: the next one goes on.
            Task::Search { bug, trial, free, from } if failure.is_none() && done > 0 && from + done < self.cap => {
                Some(Task::Search { bug, trial, free, from: from + done })
            }
            Task::Clean { bug, from } if failure.is_none() && done > 0 && from + done < self.cap => {
                clean.executions += done;
                Some(Task::Clean { bug, from: from + done })
            }
            Task::Search { bug, trial, free, .. } => {
                let (execution, failure) = (execution?, failure?);
                let measured = &mut results[bug];
                let searches = if free { measured.free.as_mut()? } else { &mut measured.controlled };
                if measured.entry.verdicts.contains(&failure.verdict) {
                    let input = ended.found.as_ref().and_then(|found| found.input.clone()).map(Box::new);
                    if trial == 0
                        && let Some(found) = ended.found
                    {
                        let settings = &ended.job.settings;
                        let task_graphs = TaskGraphs::for_strategy(settings.strategy, self.shape);
                        let generated = || task_graphs.graph_of(settings.seed, settings.threads, execution);
                        let graph = input.as_ref().map_or_else(generated, |input| input.graph.clone());
                        searches.case = Some(findings::case_of(found, settings, graph.into()));
                    }
                    searches.executions.push(execution + 1);
                    *searches.oracles.entry(failure.oracle).or_default() += 1;
                    return (!free).then_some(Task::Acquit { bug, trial, execution, input });
                }
                let alike = |other: &Failure| (other.verdict, &other.cause) == (failure.verdict, &failure.cause);
                if !searches.others.iter().any(alike) {
                    searches.others.push(failure);
                }
                let from = execution + 1;
                (from < self.cap).then_some(Task::Search { bug, trial, free, from })
            }
            Task::Acquit { .. } | Task::Clean { .. } => {
                clean.executions += ended.outcome.executions;
                clean.findings.extend(failure);
                None
            }
        }
    }
}

/// Fixed, so that every measurement is the same search.
fn trial_seed(trial: u64) -> u64 {
    splitmix64(trial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_over_the_searches_that_found_the_bug() {
        let of = |executions: &[u64]| Searches { executions: executions.to_vec(), ..Searches::default() };
        assert_eq!(of(&[]).median(), None);
        assert_eq!(of(&[9, 1, 5]).median(), Some(5.0));
        assert_eq!(of(&[9, 1, 5, 6]).median(), Some(5.5));
        assert_eq!(of(&[1, 2]).mean(), Some(1.5));
    }
}
