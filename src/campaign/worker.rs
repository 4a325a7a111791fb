//! What a worker process does: executes one job and judges every execution.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::check_worker::Checker;
#[cfg(feature = "libfuzzer")]
use super::evolve_worker;
use super::fingerprint::fingerprint;
use super::job::{self, Divergence, Failed, Files, Job, LeakWindow, Outcome, Replay, Slice, Work};
use super::seed;
use crate::case::{Case, Workload};
use crate::check;
use crate::control::{self, Loading, Mode, Session};
use crate::evidence::timeline;
use crate::feedback::counters;
use crate::feedback::{Edges, Kind, States};
use crate::input::Input;
use crate::model::execution::Ending;
use crate::model::verdict::Judgement;
use crate::oracle::Judge;
use crate::process;
use crate::protocol::Trace;
use crate::reference::Expectations;
use crate::strategy::bytes;
use crate::task_graph::TaskGraph;

/// Executes the job in `directory` and leaves its outcome there. What comes and goes often is in the directory `quick`.
///
/// # Errors
/// The job cannot be read, the target cannot be opened, or the outcome cannot be written.
pub fn run(directory: &Path, quick: Option<&Path>) -> Result<()> {
    process::become_worker();
    let files = Files::new(directory.to_owned(), quick.map(Path::to_owned));
    let job: Job = job::read(&files.job())?;
    match &job.work {
        Work::Explore(slice) => with_runner(&files, &job, |runner| {
            runner.explore(slice);
            Ok(())
        }),
        Work::Replay(replay) => {
            let case = Case::read(&files.case())?;
            let Workload::TaskGraph(graph) = &case.workload else { bail!("a check is not replayed as a task graph") };
            with_runner(&files, &job, |runner| {
                runner.replay(replay, &case, graph);
                Ok(())
            })
        }
        Work::Input { choices, number } => {
            let case = Case::read(&files.case())?;
            let Workload::TaskGraph(graph) = case.workload else { bail!("an input has a task graph") };
            with_runner(&files, &job, |runner| {
                runner.input(graph, case.settings.seed, choices, *number);
                Ok(())
            })
        }
        #[cfg(feature = "libfuzzer")]
        Work::Evolve(evolution) => evolve_worker::run(&files, &job, evolution),
        #[cfg(not(feature = "libfuzzer"))]
        Work::Evolve(_) => bail!("this was built without libFuzzer; build it with the feature `libfuzzer`"),
        Work::Measure(inputs) => with_runner(&files, &job, |runner| {
            runner.measure(inputs);
            Ok(())
        }),
        Work::Narrow { inputs, every } => with_runner(&files, &job, |runner| {
            runner.narrow(inputs, *every);
            Ok(())
        }),
        Work::Check(slice) => with_runner(&files, &job, |runner| {
            let mut checker = Checker::load(&mut runner.session, &mut runner.outcome, &job.target, &slice.program)?;
            checker.explore(slice, &files.outcome_so_far())
        }),
        Work::Compare(comparison) => with_runner(&files, &job, |runner| {
            let checker = Checker::load(&mut runner.session, &mut runner.outcome, &job.target, &comparison.program);
            checker?.compare(comparison);
            Ok(())
        }),
        Work::ReplayCheck(program) => {
            let case = Case::read(&files.case())?;
            let schedule = case.schedule.context("a case of a check without a schedule cannot be replayed")?;
            with_runner(&files, &job, |runner| {
                let checker = Checker::load(&mut runner.session, &mut runner.outcome, &job.target, program);
                checker?.replay(&schedule, case.verdict);
                Ok(())
            })
        }
    }
}

/// Opens a session, executes in it, and leaves the outcome.
fn with_runner(files: &Files, job: &Job, execute: impl FnOnce(&mut Runner) -> Result<()>) -> Result<()> {
    let mut runner = Runner::open(files, job)?;
    execute(&mut runner)?;
    runner.leave(files)
}

/// A session and what came of it so far.
pub(super) struct Runner {
    pub session: Session,
    threads: u16,
    pub outcome: Outcome,
    /// Where the outcome is kept whenever it changes by something that is not in the trace.
    so_far: PathBuf,
    /// A known finding was made here again, and may have lost memory as it did before.
    repeats: bool,
    pub started: Instant,
    /// The kinds of feedback that are counted.
    feedback: Vec<Kind>,
    edges: Edges,
}

impl Runner {
    pub fn open(files: &Files, job: &Job) -> Result<Self> {
        let settings = &job.settings;
        let is_check = settings.runtime == check::RUNTIME;
        let loading = if is_check { Loading::Later } else { Loading::Runtime(&job.target.object) };
        let mut session = Session::open(settings, loading, Trace::open(&files.trace())?)?;
        session.set_directory(files.files())?;
        Ok(Self {
            session,
            threads: settings.threads,
            outcome: Outcome::default(),
            so_far: files.outcome_so_far(),
            repeats: false,
            started: Instant::now(),
            feedback: Vec::new(),
            edges: Edges::default(),
        })
    }

    /// Leaves the outcome; ends the process if it is spent.
    pub fn leave(&mut self, files: &Files) -> Result<()> {
        self.outcome.seconds = self.started.elapsed().as_secs_f64();
        self.outcome.spent = self.session.is_spent();
        job::write(&files.outcome(), &self.outcome)?;
        if self.session.is_spent() {
            process::end_now(0);
        }
        Ok(())
    }

    /// Keeps what was counted, for the case that the process dies. Ends it if that cannot be written.
    pub fn keep_counts(&self) {
        if let Err(error) = job::replace(&self.so_far, &self.outcome) {
            eprintln!("error: {error:#}");
            process::end_now(crate::model::exit::COULD_NOT.into());
        }
    }

    /// Counts feedback from now on.
    pub fn set_feedback(&mut self, kinds: &[Kind]) {
        self.session.set_feedback(kinds);
        self.feedback = kinds.to_vec();
    }

    fn explore(&mut self, slice: &Slice) {
        let limit = slice.limit_ms.map(Duration::from_millis);
        let mut current: Option<(u64, Judged)> = None;
        let mut unchecked = slice.first;
        for execution in slice.first..slice.first.saturating_add(slice.count) {
            if limit.is_some_and(|limit| self.started.elapsed() >= limit) {
                break;
            }
            let number = slice.task_graphs.number_of(execution);
            let mut judged = match current.take() {
                Some((known, judged)) if known == number => judged,
                _ => {
                    let graph = slice.task_graphs.graph_of(slice.seed, self.threads, execution);
                    // Its executions may use the process up, with which the traces of earlier leaks go.
                    let last_look = graph.injections.crash || graph.injections.failing_allocation.is_some();
                    if last_look && self.leaks(unchecked, execution) {
                        return;
                    }
                    if last_look {
                        unchecked = execution;
                    }
                    self.load(graph)
                }
            };
            let mode = Mode::Explore { seed: seed::schedule_seed(slice.seed, self.threads, execution) };
            if self.execute(&mut judged, execution, mode, &slice.known).is_break() {
                return;
            }
            current = Some((number, judged));
            if execution + 1 - unchecked >= slice.leak_check_every {
                if self.leaks(unchecked, execution + 1) {
                    return;
                }
                unchecked = execution + 1;
            }
        }
        let end = slice.first + self.outcome.executions;
        self.leaks(unchecked, end);
    }

    fn replay(&mut self, replay: &Replay, case: &Case, graph: &TaskGraph) {
        let mut judged = self.load(graph.clone());
        let times = if case.schedule.is_some() { 1 } else { replay.times };
        for execution in replay.from..replay.from + times {
            let mode = match &case.schedule {
                Some(schedule) => Mode::Replay(schedule),
                None => Mode::Explore { seed: seed::splitmix64(case.settings.seed ^ execution) },
            };
            if self.execute(&mut judged, execution, mode, &[]).is_break() {
                return;
            }
        }
        self.leaks(replay.from, replay.from + self.outcome.executions);
    }

    fn input(&mut self, graph: TaskGraph, seed: u64, choices: &[u16], number: u64) {
        if self.execute_input(graph, seed, choices, number, &[]).is_continue() {
            self.leaks(number, number + 1);
        }
    }

    /// Executes a task graph once, with choices that strategy `bytes` makes of these.
    pub fn execute_input(
        &mut self,
        graph: TaskGraph,
        seed: u64,
        choices: &[u16],
        number: u64,
        known: &[String],
    ) -> ControlFlow<()> {
        let mut judged = self.load(graph);
        bytes::lay_out(choices);
        self.execute(&mut judged, number, Mode::Explore { seed }, known)
    }

    fn measure(&mut self, inputs: &[Vec<u8>]) {
        self.set_feedback(&Kind::ALL);
        for (number, bytes) in (0..).zip(inputs) {
            let Ok(input) = Input::decode(bytes) else { continue };
            counters::clear();
            self.edges.forget();
            let flow = self.execute_input(input.graph, input.seed, &input.choices, number, &[]);
            self.outcome.features.push(counters::features());
            if flow.is_break() {
                return;
            }
        }
    }

    fn narrow(&mut self, inputs: &[Vec<u8>], every: u64) {
        let mut unchecked = 0;
        for (number, bytes) in (0..).zip(inputs) {
            let Ok(input) = Input::decode(bytes) else { continue };
            if self.execute_input(input.graph, input.seed, &input.choices, number, &[]).is_break() {
                return;
            }
            if number + 1 - unchecked >= every {
                if self.leaks(unchecked, number + 1) {
                    return;
                }
                unchecked = number + 1;
            }
        }
        self.leaks(unchecked, inputs.len() as u64);
    }

    /// Makes `graph` the one that is executed and judged.
    fn load(&mut self, graph: TaskGraph) -> Judged {
        self.session.load(&graph);
        let judge = Judge::new(&graph, self.threads, Expectations::of(&graph));
        let states = self.feedback.contains(&Kind::Oracles).then(|| States::of(&graph));
        Judged { graph, judge, states }
    }

    /// Executes once, judges, and says whether to go on.
    fn execute(&mut self, judged: &mut Judged, number: u64, mode: Mode<'_>, known: &[String]) -> ControlFlow<()> {
        let execution = self.session.execute(number, mode);
        if self.feedback.contains(&Kind::Edges) {
            self.edges.look();
        }
        if let Some(states) = &mut judged.states {
            states.look(execution);
        }
        let completed = execution.ending == Ending::Completed;
        self.outcome.executions += 1;
        self.outcome.points += execution.points;
        if let Ending::Diverged { step, why } = &execution.ending {
            self.outcome.diverged = Some(Divergence { step: *step, why: why.clone() });
            return ControlFlow::Break(());
        }
        let mut counted = false;
        let judgement = judged.judge.judge(execution);
        if let Judgement::Incomparable(reason, _) = &judgement {
            *self.outcome.incomparable.entry(*reason).or_default() += 1;
            counted = true;
        }
        let failures = Vec::from_iter(if let Judgement::Wrong(failure) = judgement { Some(failure) } else { None });
        let mut clean = execution.reports == 0 && failures.is_empty();
        if let [failure] = &failures[..]
            && execution.reports == 0
            && known.contains(&fingerprint(failure))
        {
            *self.outcome.repeated.entry(fingerprint(failure)).or_default() += 1;
            self.repeats = true;
            counted = true;
            clean = true;
        }
        if !clean {
            let timeline = timeline::text(&judged.graph, &execution.events);
            let reports = execution.reports;
            self.outcome.failed = Some(Failed { execution: number, failures, reports, timeline, ..Failed::default() });
        }
        if counted {
            self.keep_counts();
        }
        // A process whose threads all came to their end is as good as new; one left in the middle is not.
        if clean && completed { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// Whether memory is lost since execution `first`. What a known finding leaks is not another finding.
    pub fn leaks(&mut self, first: u64, end: u64) -> bool {
        if end == first || self.repeats || !control::leaks() {
            return false;
        }
        self.outcome.leaked = Some(LeakWindow { first, count: end - first });
        true
    }
}

/// The task graph that is executed now, and its judge.
struct Judged {
    graph: TaskGraph,
    judge: Judge,
    states: Option<States>,
}
