//! One running worker, seen from the supervisor.

use std::fs::{self, OpenOptions};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::death::Killed;
use super::watch::Watch;
use crate::campaign::job::{self, Files, Job, Work};
use crate::campaign::symbols::PLAIN_FRAMES;
use crate::model::exit;
use crate::model::schedule::Schedule;
use crate::model::sketch::Sketch;
use crate::process;
use crate::protocol::Trace;
use crate::target::Built;

/// Read by the sanitizers. Nearly all options are compiled in; the environment's are not passed on, so that
/// results do not depend on them.
pub const OPTION_VARIABLES: [&str; 4] = ["TSAN_OPTIONS", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"];

/// How often a job is begun whose worker is ended from outside.
const ATTEMPTS: u32 = 3;

/// This program as a worker that can load the target.
#[must_use]
pub fn worker_command(target: &Built) -> Command {
    let mut command = process::preloaded(&target.loader, &process::executable(), &target.preload);
    command.arg("worker");
    command
}

/// A worker process with its files; it is killed, and its files are removed, when this is dropped.
pub struct WorkerProcess {
    child: Child,
    job: Job,
    files: Files,
    trace: Trace,
    watch: Watch,
    started: Instant,
    killed: Option<Killed>,
    memory_limit: u64,
    /// How often it was begun.
    attempts: u32,
}

impl WorkerProcess {
    /// Starts a worker on a job, with its files in a directory that exists.
    ///
    /// # Errors
    /// The files cannot be written or the process cannot be started.
    pub fn start(job: Job, files: Files, memory_limit: u64) -> Result<Self> {
        let (child, trace, watch) = begin(&job, &files, memory_limit)?;
        let (started, killed, attempts) = (Instant::now(), None, 1);
        Ok(Self { child, job, files, trace, watch, started, killed, memory_limit, attempts })
    }

    /// Whether the process, which ended, was ended by another one: by the handlers of `cpp/control/outside.c`, or in the
    /// only way that no process brings upon itself here.
    #[must_use]
    pub fn ended_from_outside(&self, status: ExitStatus) -> bool {
        let is_said = status.code() == Some(exit::FROM_OUTSIDE.into());
        self.killed.is_none() && (is_said || status.signal() == Some(libc::SIGKILL))
    }

    /// Does the job once more, from its beginning, after the process ended.
    ///
    /// # Errors
    /// It was ended from outside too often, or as [`WorkerProcess::start`].
    pub fn again(mut self) -> Result<Self> {
        ensure!(
            self.attempts < ATTEMPTS,
            "a worker was ended from outside {ATTEMPTS} times in the same job, maybe by the system, which ran out of memory; \
             see to what ends it, or use fewer `--jobs`"
        );
        self.files.forget_what_was_done();
        (self.child, self.trace, self.watch) = begin(&self.job, &self.files, self.memory_limit)?;
        self.attempts += 1;
        Ok(self)
    }

    /// Whether the worker got as far as loading its target.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.trace.is_ready()
    }

    /// How the worker ended, once it has. Ends it if it hangs or takes too much memory.
    ///
    /// # Errors
    /// The system does not say what became of the child.
    pub fn poll(&mut self) -> Result<Option<ExitStatus>> {
        if let Some(status) = self.child.try_wait().context("cannot wait for a worker")? {
            return Ok(Some(status));
        }
        if let Some(reason) = self.watch.look(self.trace.heartbeat()) {
            self.killed = Some(reason);
            self.child.kill().context("cannot end a worker that hangs")?;
            return self.child.wait().context("cannot wait for a worker").map(Some);
        }
        Ok(None)
    }

    #[must_use]
    pub fn job(&self) -> &Job {
        &self.job
    }

    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Why the supervisor ended it, if it did.
    #[must_use]
    pub fn killed(&self) -> Option<&Killed> {
        self.killed.as_ref()
    }

    /// The execution that was begun last.
    #[must_use]
    pub fn execution(&self) -> u64 {
        self.trace.execution()
    }

    /// Executions completed.
    #[must_use]
    pub fn finished(&self) -> u64 {
        self.trace.finished()
    }

    /// See [`Trace::heartbeat`].
    #[must_use]
    pub fn heartbeat(&self) -> u64 {
        self.trace.heartbeat()
    }

    /// The choices of the last execution.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        self.trace.schedule()
    }

    /// The departures of the last execution from never preempting anyone.
    #[must_use]
    pub fn sketch(&self) -> Sketch {
        Sketch::of(&self.trace.schedule(), &self.trace.preempts())
    }

    /// Seconds since it was started.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Ends the process if it still runs, removes its files and gives the job back.
    #[must_use]
    pub fn end(self) -> Job {
        self.job.clone()
    }
}

/// Starts the process of a job.
fn begin(job: &Job, files: &Files, memory_limit: u64) -> Result<(Child, Trace, Watch)> {
    job::write(&files.job(), job)?;
    let mut trace = Trace::create(&files.trace())?;
    // A worker that dies before it begins is blamed on its first execution.
    match &job.work {
        Work::Explore(slice) => trace.begin(slice.first),
        Work::Compare(comparison) => trace.begin(comparison.first),
        Work::Evolve(evolution) => trace.begin(evolution.first),
        Work::Input { number, .. } => trace.begin(*number),
        Work::Try(trials) => trace.begin(trials.series.tried()),
        Work::Replay(_) | Work::Narrow { .. } | Work::Measure(_) | Work::List(_) | Work::Debug { .. } => {}
    }
    let append = OpenOptions::new().create(true).append(true).open(files.stderr());
    let stderr = append.context("cannot create a worker's files")?;
    let mut command = worker_command(&job.target);
    command.arg(files.directory()).arg(files.quick());
    // A process group of its own: Ctrl-C is for the supervisor alone.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    for variable in OPTION_VARIABLES {
        command.env(variable, PLAIN_FRAMES);
    }
    // Else TSan waits a second for reports that other threads may still make.
    command.env("TSAN_OPTIONS", format!("{PLAIN_FRAMES}:atexit_sleep_ms=0"));
    let child = command.spawn().context("cannot start a worker")?;
    let watch = Watch::new(child.id(), job, memory_limit);
    Ok((child, trace, watch))
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        // Both fail only if the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What cannot be removed goes with the supervisor's scratch directory.
        let _ = fs::remove_dir_all(self.files.quick());
        let _ = fs::remove_dir_all(self.files.directory());
    }
}
