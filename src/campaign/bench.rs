//! Measures the throughput under control against that of uncontrolled stress: the same task graphs, in one run.

use anyhow::{Context, Result, bail};

use super::interrupt;
use super::job::{Executed, Job, Slice, Work};
use super::supervisor::Supervisor;
use super::task_graphs::TaskGraphs;
use crate::model::settings::{Engine, MemoryModel, Races, Sanitizer, Settings, StrategyName};
use crate::target::{Built, Workshop};
use crate::task_graph::Shape;

/// Rounds over which times add up; engines alternate, so that a slow moment of the machine hits both.
const ROUNDS: u64 = 5;
/// Schedules of each task graph: to generate one takes as long with control as without.
const SCHEDULES: u64 = 32;
/// Seed of the task graphs and schedules.
const SEED: u64 = 1;

/// Why there is no throughput after Ctrl-C.
pub(super) const INTERRUPTED: &str = "interrupted before everything was measured";

/// What to measure.
pub struct Bench {
    pub runtime: String,
    pub sanitizers: Vec<Sanitizer>,
    pub threads: u16,
    /// Of the task graphs.
    pub shape: Shape,
    /// Executions of each round and engine.
    pub executions: u64,
    /// The controlled engine to measure.
    pub engine: Engine,
}

/// The throughput of one engine under one sanitizer.
#[derive(Clone, Copy, Debug)]
pub struct Throughput {
    pub sanitizer: Sanitizer,
    pub engine: Engine,
    pub executions: u64,
    /// Time spent executing and judging.
    pub seconds: f64,
}

impl Throughput {
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.executions as f64 / self.seconds
    }

    /// Adds what a job takes that runs alone.
    ///
    /// # Errors
    /// It found something, after which nothing is comparable; it cannot be done; or Ctrl-C.
    pub(super) fn measure(&mut self, supervisor: &mut Supervisor<()>, job: Job) -> Result<()> {
        let ended = supervisor.run_alone((), job, None)?.context(INTERRUPTED)?;
        if let Some(found) = ended.earlier.iter().chain(&ended.found).next() {
            let (execution, message) = (found.execution, &found.failures[0].message);
            bail!("execution {execution} failed, so there is no throughput to compare: {message}");
        }
        self.executions += ended.outcome.executions;
        self.seconds += ended.outcome.seconds;
        Ok(())
    }
}

impl Bench {
    /// Measures; `observe` is told how many of how many workers are done. For each sanitizer the controlled
    /// engine's throughput comes first, then that of `free`.
    ///
    /// # Errors
    /// The runtime does not compile, a worker cannot do what it is asked, or it found something, after
    /// which nothing is comparable.
    pub fn run(&self, workshop: &Workshop, mut observe: impl FnMut(u64, u64)) -> Result<Vec<Throughput>> {
        let target = workshop.runtime(&self.runtime, None)?;
        let wanted = self.sanitizers.iter().map(|sanitizer| (target.clone(), *sanitizer));
        let builds = workshop.build_all(wanted, |_| !interrupt::requested())?;
        // One at a time: workers beside each other would share the machine unevenly.
        let mut supervisor = Supervisor::new(1)?;
        let mut throughputs: Vec<Throughput> = Vec::new();
        for &sanitizer in &self.sanitizers {
            for engine in [self.engine, Engine::Free] {
                throughputs.push(Throughput { sanitizer, engine, executions: 0, seconds: 0.0 });
            }
        }
        let total = ROUNDS * throughputs.len() as u64;
        for round in 0..ROUNDS {
            for (index, throughput) in (0..).zip(&mut throughputs) {
                self.measure(&mut supervisor, builds.of(&target, throughput.sanitizer)?, throughput, round)?;
                observe(round * (total / ROUNDS) + index + 1, total);
            }
        }
        Ok(throughputs)
    }

    fn measure(
        &self,
        supervisor: &mut Supervisor<()>,
        target: &Built,
        throughput: &mut Throughput,
        round: u64,
    ) -> Result<()> {
        let settings = Settings {
            runtime: self.runtime.clone(),
            threads: self.threads,
            sanitizer: throughput.sanitizer,
            engine: throughput.engine,
            strategy: StrategyName::Random,
            seed: SEED,
            memory: MemoryModel::Sc,
            races: Races::Off,
            bug: None,
        };
        let task_graphs = Executed::TaskGraphs(TaskGraphs { shape: self.shape, schedules: SCHEDULES });
        let slice = Slice::to_measure(task_graphs, SEED, round * self.executions, self.executions);
        let job = Job { settings, target: target.clone(), work: Work::Explore(slice) };
        throughput.measure(supervisor, job)
    }
}
