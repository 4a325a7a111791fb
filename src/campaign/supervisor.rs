//! Runs jobs in worker processes, a few at a time, and survives whatever becomes of them.
//!
//! One thread does it all by asking each child now and then, so that the supervisor can live inside a
//! build with a sanitizer too.

mod death;
mod end;
pub(super) mod process;
mod watch;

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

use super::fingerprint::fingerprint;
use super::interrupt;
use super::job::{Files, Job, Outcome};
use super::symbols::Symbols;
use crate::case::Case;
use crate::feedback::Features;
use crate::input::Input;
use crate::model::execution::Aside;
use crate::model::schedule::Schedule;
use crate::model::sketch::Sketch;
use crate::model::verdict::Failure;
use crate::scratch::Scratch;

pub use process::OPTION_VARIABLES;
use process::WorkerProcess;
use watch::memory_limit;

/// How often the children are asked.
const POLL: Duration = Duration::from_millis(2);

/// Runs jobs; each carries a tag of type `T` by which its end is known.
pub struct Supervisor<T> {
    jobs: usize,
    memory_limit: u64,
    /// Holds the directories of the workers; removed on drop.
    scratch: Scratch,
    /// The same for the files of targets, where the disk takes no part, if there is such a place.
    quick: Option<Scratch>,
    symbols: Symbols,
    running: Vec<(T, WorkerProcess)>,
    started: u64,
    /// Jobs that were begun again, since somebody ended their worker.
    begun_again: u64,
}

/// A job that ended, one way or the other.
pub struct Ended {
    pub job: Job,
    pub outcome: Outcome,
    /// What it stopped at, if that is a finding.
    pub found: Option<Found>,
    /// Findings after which it went on.
    pub earlier: Vec<Found>,
    pub evolved: Evolved,
    /// The departures of its last execution, of a replay.
    pub sketch: Sketch,
    /// What happened beside the steps, of a replay that explains.
    pub asides: Vec<Aside>,
}

/// What a worker of a coverage-guided campaign leaves behind; nothing, if it is another's.
#[derive(Default)]
pub struct Evolved {
    /// Inputs that did something new.
    pub kept: Vec<Input>,
    /// Some of them could not be written, although the worker ended by itself.
    pub cut_off: bool,
    /// The one that was executed last.
    pub last: Option<Input>,
    /// What all of them reached.
    pub reached: Features,
}

/// What a worker of a coverage-guided campaign begins with.
pub struct Beginning<'a> {
    pub inputs: Vec<&'a [u8]>,
    /// Inputs are kept if they reach more than this.
    pub reached: &'a Features,
}

/// A failed execution with its evidence.
#[derive(Clone)]
pub struct Found {
    /// The first of those that may have done it, for a leak; see `Outcome::leaked`.
    pub execution: u64,
    /// At least one; the first is what it is reported as.
    pub failures: Vec<Failure>,
    /// `None` under engine `free`, which makes no choices.
    pub schedule: Option<Schedule>,
    /// What the sanitizer printed.
    pub report: String,
    /// The timeline of a task graph, for people.
    pub timeline: String,
    /// What was executed, of a coverage-guided campaign.
    pub input: Option<Input>,
}

impl Found {
    /// A finding of each failure, which it is reported as.
    pub fn each(self) -> impl Iterator<Item = Self> {
        (0..self.failures.len()).map(move |index| self.clone().led_by(index))
    }

    /// Is reported as the failure that the case has, or else as one of its verdict. `None` if it failed in no such way.
    pub fn as_in(self, case: &Case) -> Option<Self> {
        let is_same = |failure: &Failure| fingerprint(failure) == case.fingerprint;
        let is_like = |failure: &Failure| failure.verdict == case.verdict;
        let index = self.failures.iter().position(is_same).or_else(|| self.failures.iter().position(is_like))?;
        Some(self.led_by(index))
    }

    fn led_by(mut self, index: usize) -> Self {
        self.failures[..=index].rotate_right(1);
        self
    }
}

impl<T> Supervisor<T> {
    /// A supervisor of up to `jobs` workers at a time.
    ///
    /// # Errors
    /// No temporary directory can be made.
    pub fn new(jobs: usize) -> Result<Self> {
        Ok(Self {
            jobs,
            memory_limit: memory_limit(jobs),
            scratch: Scratch::new()?,
            quick: Scratch::in_memory(jobs),
            symbols: Symbols::new(),
            running: Vec::new(),
            started: 0,
            begun_again: 0,
        })
    }

    /// Whether another job can be started now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.has_room_beside(0)
    }

    /// The same, where so many compilers run as well. One worker is always let in, so that what is ready is explored.
    #[must_use]
    pub fn has_room_beside(&self, compilers: usize) -> bool {
        self.running.is_empty() || self.running.len() + compilers < self.jobs
    }

    /// What names the functions in reports.
    pub fn symbols(&mut self) -> &mut Symbols {
        &mut self.symbols
    }

    /// Whether nothing runs.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Executions completed by the workers that run now.
    #[must_use]
    pub fn under_way(&self) -> u64 {
        self.running.iter().map(|(_, worker)| worker.finished()).sum()
    }

    /// Starts a worker. A job that replays needs its case.
    ///
    /// # Errors
    /// The worker cannot be started.
    pub fn start(&mut self, tag: T, job: Job, case: Option<&Case>) -> Result<()> {
        let files = self.files()?;
        if let Some(case) = case {
            fs::write(files.case(), case.to_string()).context("cannot write the case for a worker")?;
        }
        self.launch(tag, job, files)
    }

    /// Starts a worker that evolves inputs.
    ///
    /// # Errors
    /// As [`Supervisor::start`].
    pub fn start_evolving(&mut self, tag: T, job: Job, beginning: &Beginning<'_>) -> Result<()> {
        let files = self.files()?;
        let write = || -> std::io::Result<()> {
            fs::create_dir(files.seeds())?;
            fs::write(files.reached_before(), beginning.reached.as_bytes())?;
            let mut inputs = (0_u64..).zip(&beginning.inputs);
            inputs.try_for_each(|(number, input)| fs::write(files.seeds().join(format!("{number:08}")), input))
        };
        write().with_context(|| {
            format!("cannot write the inputs for a worker to {}; free some space there", files.quick().display())
        })?;
        self.launch(tag, job, files)
    }

    /// The files of the next worker.
    fn files(&mut self) -> Result<Files> {
        self.started += 1;
        let directory = self.scratch.path().join(self.started.to_string());
        fs::create_dir(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
        let quick = self.quick.as_ref().map(|quick| quick.path().join(self.started.to_string()));
        if let Some(quick) = &quick {
            fs::create_dir(quick).with_context(|| format!("cannot make {}", quick.display()))?;
        }
        Ok(Files::new(directory, quick))
    }

    fn launch(&mut self, tag: T, job: Job, files: Files) -> Result<()> {
        let worker = WorkerProcess::start(job, files, self.memory_limit)?;
        self.running.push((tag, worker));
        Ok(())
    }

    /// How many jobs were begun again, since another process ended their worker.
    #[must_use]
    pub fn begun_again(&self) -> u64 {
        self.begun_again
    }

    /// Waits a moment and gives the jobs that ended.
    ///
    /// # Errors
    /// A worker says that it cannot do what it was asked.
    pub fn poll(&mut self) -> Result<Vec<(T, Ended)>> {
        self.poll_each()?.into_iter().map(|(tag, ended)| Ok((tag, ended?))).collect()
    }

    /// The same, and tells of each job why it could not be done.
    ///
    /// # Errors
    /// The system does not say what became of a worker.
    pub fn poll_each(&mut self) -> Result<Vec<(T, Result<Ended>)>> {
        std::thread::sleep(POLL);
        let mut ended = Vec::new();
        let mut index = 0;
        while index < self.running.len() {
            match self.running[index].1.poll()? {
                Some(status) => {
                    let (tag, worker) = self.running.swap_remove(index);
                    if worker.ended_from_outside(status) {
                        self.begun_again += 1;
                        match worker.again() {
                            Ok(worker) => self.running.push((tag, worker)),
                            Err(error) => ended.push((tag, Err(error))),
                        }
                    } else {
                        ended.push((tag, end::conclude(worker, status, &mut self.symbols)));
                    }
                }
                None => index += 1,
            }
        }
        Ok(ended)
    }

    /// Runs a job to its end with no other beside it; `None` if Ctrl-C came first.
    ///
    /// # Errors
    /// The worker cannot be started, or says that it cannot do what it was asked.
    pub fn run_alone(&mut self, tag: T, job: Job, case: Option<&Case>) -> Result<Option<Ended>> {
        self.start(tag, job, case)?;
        while !interrupt::requested() {
            if let Some((_, ended)) = self.poll()?.pop() {
                return Ok(Some(ended));
            }
        }
        self.stop();
        Ok(None)
    }

    /// Ends all workers at once. What they did counts as far as it is known; nothing they die of is a finding.
    pub fn stop(&mut self) -> Vec<(T, Ended)> {
        let stopped = std::mem::take(&mut self.running);
        let stop = |(tag, worker): (T, WorkerProcess)| (tag, end::stopped(worker));
        stopped.into_iter().map(stop).collect()
    }
}

#[cfg(test)]
pub(super) mod fake;

#[cfg(test)]
mod tests {
    use super::fake::{Worker, job, slice};
    use super::*;
    use crate::model::verdict::Verdict;

    fn ended(worker: &Worker) -> Result<Ended> {
        let mut supervisor = Supervisor::new(1).expect("a supervisor");
        let ended = supervisor.run_alone((), job(worker.target(), slice(20)), None)?;
        Ok(ended.expect("nobody interrupts it"))
    }

    #[test]
    fn what_a_worker_says_is_taken_from_it() {
        let worker = Worker::that_says(&Outcome { executions: 20, points: 99, ..Outcome::default() });
        let ended = ended(&worker).expect("it ends");
        assert_eq!((ended.outcome.executions, ended.outcome.points), (20, 99));
        assert!(ended.found.is_none() && ended.earlier.is_empty());
    }

    #[test]
    fn what_the_oracles_of_a_worker_say_is_found() {
        let worker = Worker::that_says(&fake::failed(7, Verdict::Deadlock));
        let found = ended(&worker).expect("it ends").found.expect("it failed");
        assert_eq!((found.execution, found.failures[0].verdict), (7, Verdict::Deadlock));
    }

    #[test]
    fn a_worker_that_dies_is_a_finding_of_the_execution_that_it_was_in() {
        let worker = Worker::new("kill -SEGV $$");
        let found = ended(&worker).expect("it ends").found.expect("it died");
        assert_eq!((found.execution, found.failures[0].verdict), (0, Verdict::Crash));
        assert!(found.failures[0].message.contains("SIGSEGV"), "{}", found.failures[0].message);
    }

    #[test]
    fn a_worker_that_cannot_do_its_job_is_an_error_in_its_words() {
        let worker = Worker::new("echo 'error: the target is none' >&2; exit 2");
        let error = ended(&worker).err().expect("an error");
        assert_eq!(error.to_string(), "the target is none");
    }

    #[test]
    fn what_workers_die_of_that_are_stopped_is_no_finding() {
        let worker = Worker::new("sleep 100");
        let mut supervisor = Supervisor::new(2).expect("a supervisor");
        for tag in 0..2 {
            assert!(supervisor.has_room());
            supervisor.start(tag, job(worker.target(), slice(20)), None).expect("started");
        }
        assert!(!supervisor.has_room() && !supervisor.is_idle());
        let stopped = supervisor.stop();
        assert_eq!(stopped.iter().map(|(tag, _)| *tag).collect::<Vec<_>>(), [0, 1]);
        assert!(stopped.iter().all(|(_, ended)| ended.found.is_none() && ended.outcome.executions == 0));
        assert!(supervisor.is_idle());
    }

    #[test]
    fn one_worker_is_let_in_however_many_compilers_run() {
        let worker = Worker::new("sleep 100");
        let mut supervisor = Supervisor::new(2).expect("a supervisor");
        assert!(supervisor.has_room_beside(9));
        supervisor.start((), job(worker.target(), slice(20)), None).expect("started");
        assert!(supervisor.has_room_beside(0) && !supervisor.has_room_beside(1));
    }
}
