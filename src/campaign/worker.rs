//! What a worker process does: executes one job and judges every execution.

mod debugged;
mod looks;
mod repeats;
mod trials;

use std::ops::ControlFlow;
use std::panic::{self, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

#[cfg(feature = "libfuzzer")]
use super::evolve_worker;
use super::job::{self, Executed, Files, Job, LeakWindow, Program, Slice, Work};
use super::loaded::{Loaded, Pace, Ran};
use super::seed;
use super::tally::Tally;
use super::task_graphs::TaskGraphs;
use crate::case::Case;
use crate::control::{self, Loading, Mode, Session};
use crate::feedback::counters;
use crate::feedback::{Edges, Kind};
use crate::input::Input;
use crate::model::execution::{Ending, not_emulated};
use crate::model::exit;
use crate::model::offers::Offers;
use crate::model::settings::MemoryModel;
use crate::model::verdict::Judgement;
use crate::process::{self, Capture};
use crate::protocol::Trace;
use crate::strategy::bytes;
use crate::task_graph::{self, Injections, TaskGraph};

/// Executions after which what they printed is thrown away, if it is much.
const OUTPUT_LOOKS: u64 = 64;
/// Executions after which it is looked at whether the program has orders weaker than sequential consistency, until it has.
const ORDER_LOOKS: u64 = 64;
/// Executions of a program after which counts of what was found before are kept.
const COUNTS_KEPT: u64 = 4096;

/// Executes the job in `directory` and leaves its outcome there. What comes and goes often is in the directory `quick`.
///
/// # Errors
/// The job cannot be read, the target cannot be opened, or the outcome cannot be written.
pub fn run(directory: &Path, quick: Option<&Path>) -> Result<()> {
    process::become_worker();
    process::watch_for_outsiders();
    panic::set_hook(Box::new(own_fault));
    let files = Files::new(directory.to_owned(), quick.map(Path::to_owned));
    let job: Job = debugged::afresh(&files, job::read(&files.job())?);
    if let Work::Evolve(_evolution) = &job.work {
        #[cfg(feature = "libfuzzer")]
        return evolve_worker::run(&files, &job, _evolution);
        #[cfg(not(feature = "libfuzzer"))]
        anyhow::bail!("this was built without libFuzzer; build it with the feature `libfuzzer`");
    }
    let mut runner = Runner::open(&files, &job)?;
    match &job.work {
        Work::Explore(slice) => runner.explore(slice)?,
        Work::Replay(replay) => {
            let keeps_steps = runner.is_of_program || replay.explains;
            keeps_steps.then(|| runner.session.keep_steps(files.steps()));
            runner.replay(replay, &Case::read(&files.case())?)?;
        }
        Work::Debug { stop_at } => runner.debug(*stop_at, &files)?,
        Work::Compare(comparison) => runner.compare(comparison)?,
        Work::Try(trials) => runner.try_all(trials, &Case::read(&files.case())?)?,
        Work::Input { input, number } => {
            let input = Input::decode(input)?;
            runner.check_offers(&input.graph)?;
            runner.unchecked = *number;
            if runner.execute_input(input.graph, input.seed, &input.choices, *number).is_continue() {
                runner.leaks(*number + 1);
            }
        }
        Work::Measure(inputs) => runner.measure(inputs),
        Work::Narrow { inputs, every } => runner.narrow(inputs, *every),
        Work::List(program) => runner.list(program)?,
        Work::Evolve(_) => unreachable!("done above"),
    }
    runner.leave(&files)
}

/// A worker's own panic says nothing about the target, and must not unwind through it.
fn own_fault(panic: &PanicHookInfo<'_>) {
    let (what, place) = (panic.payload_as_str().unwrap_or_default(), panic.location());
    let place = place.map_or_else(String::new, |place| format!("{}:{}: ", place.file(), place.line()));
    let what = what.replace('\n', " ");
    eprintln!("error: a worker failed: {place}{what}; this is a fault of threadbare: please report it with the case");
    process::end_now(exit::COULD_NOT.into());
}

/// A session and what came of it so far.
pub(super) struct Runner {
    pub session: Session,
    threads: u16,
    memory: MemoryModel,
    is_of_program: bool,
    /// Executions are drawn by their seeds, and not all of them searched.
    draws: bool,
    /// Somebody reads what it prints, under a debugger.
    is_watched: bool,
    /// The shared object that is loaded.
    object: PathBuf,
    /// What it offers.
    offers: Offers,
    pub tally: Tally,
    /// The first execution since the last look for leaks.
    pub unchecked: u64,
    pub started: Instant,
    /// The kinds of feedback that are counted.
    feedback: Vec<Kind>,
    edges: Edges,
}

impl Runner {
    pub fn open(files: &Files, job: &Job) -> Result<Self> {
        let settings = &job.settings;
        let loading = if job.is_of_program() { Loading::Later } else { Loading::Runtime(&job.target.object) };
        let mut session = Session::open(settings, loading, Trace::open(&files.trace())?)?;
        session.set_directory(files.files())?;
        Ok(Self {
            session,
            threads: settings.threads,
            memory: settings.memory,
            is_of_program: job.is_of_program(),
            draws: !settings.strategy.is_exhaustive(),
            is_watched: matches!(job.work, Work::Debug { .. }),
            object: job.target.object.clone(),
            offers: job.target.offers,
            tally: Tally::new(files.outcome_so_far()),
            unchecked: 0,
            started: Instant::now(),
            feedback: Vec::new(),
            edges: Edges::default(),
        })
    }

    /// Leaves the outcome; ends the process if it is spent.
    pub fn leave(&mut self, files: &Files) -> Result<()> {
        self.tally.outcome.seconds = self.started.elapsed().as_secs_f64();
        self.tally.outcome.spent = self.session.is_spent();
        self.tally.outcome.left_out.unjudged = self.session.left_out().unjudged;
        job::write(&files.outcome(), &self.tally.outcome)?;
        if self.session.is_spent() {
            process::end_now(0);
        }
        Ok(())
    }

    /// Counts feedback from now on.
    pub fn set_feedback(&mut self, kinds: &[Kind]) {
        self.session.set_feedback(kinds);
        self.feedback = kinds.to_vec();
    }

    /// Explores a slice, up to its end or to a finding that the process does not survive.
    fn explore(&mut self, slice: &Slice) -> Result<()> {
        self.tally.known.clone_from(&slice.known);
        self.session.know_reports(&slice.known.reports.iter().copied().collect::<Vec<_>>());
        match &slice.executed {
            Executed::TaskGraphs(task_graphs) => self.explore_task_graphs(slice, task_graphs),
            Executed::Program(program) => self.explore_program(slice, program)?,
        }
        Ok(())
    }

    /// The executions of a slice, as far as time allows.
    fn executions(&self, slice: &Slice) -> impl Iterator<Item = u64> + use<> {
        let (started, limit) = (self.started, slice.limit_ms.map(Duration::from_millis));
        // Of a program it is kept execution by execution, and thrown away then.
        let shortens = !self.is_of_program;
        let in_time = move |execution: &u64| {
            if shortens && execution.is_multiple_of(OUTPUT_LOOKS) {
                process::shorten_output();
            }
            limit.is_none_or(|limit| started.elapsed() < limit)
        };
        (slice.first..slice.first.saturating_add(slice.count)).take_while(in_time)
    }

    fn explore_task_graphs(&mut self, slice: &Slice, task_graphs: &TaskGraphs) {
        let mut current: Option<(u64, Loaded)> = None;
        self.unchecked = slice.first;
        for execution in self.executions(slice) {
            let number = task_graphs.number_of(execution);
            let mut loaded = match current.take() {
                Some((known, loaded)) if known == number => loaded,
                _ => {
                    let graph = task_graphs.graph_of(slice.seed, self.threads, execution);
                    // Its executions may use the process up, with which the traces of earlier leaks go.
                    let last_look = graph.injections.may_end_process();
                    if last_look && self.leaks(execution) {
                        return;
                    }
                    self.load(graph)
                }
            };
            if self.explore_one(&mut loaded, slice, execution).is_break() {
                return;
            }
            current = Some((number, loaded));
            if execution + 1 - self.unchecked >= slice.leak_check_every && self.leaks(execution + 1) {
                return;
            }
        }
        self.leaks(slice.first + self.tally.outcome.executions);
    }

    /// What a program finds before its process ends is kept as it comes.
    fn explore_program(&mut self, slice: &Slice, program: &Program) -> Result<()> {
        let mut loaded = self.load_program(program)?;
        for execution in self.executions(slice) {
            let found = self.tally.outcome.earlier.len();
            let flow = self.explore_one(&mut loaded, slice, execution);
            if flow.is_break() || (slice.stop_at_first && !self.tally.outcome.earlier.is_empty()) {
                break;
            }
            if self.session.search_ended() {
                self.tally.outcome.search_ended = true;
                break;
            }
            if program.framework.is_some() && program.injections.is_empty() && self.session.has_one_thread() {
                self.tally.outcome.alone = true;
                break;
            }
            let counts = execution.is_multiple_of(COUNTS_KEPT) && !self.tally.outcome.repeated.is_empty();
            if self.tally.outcome.earlier.len() > found || counts {
                self.tally.keep();
            }
        }
        self.tally.outcome.left_out = self.session.left_out();
        self.tally.outcome.extent = self.session.extent();
        Ok(())
    }

    fn explore_one(&mut self, loaded: &mut Loaded, slice: &Slice, execution: u64) -> ControlFlow<()> {
        let seed = seed::schedule_seed(slice.seed, self.threads, execution);
        if slice.mixes_memory {
            let memory = if seed::is_weak(seed) { self.memory } else { MemoryModel::Sc };
            // One that looks at orders takes twice its time.
            let looks = execution == slice.first || execution.is_multiple_of(ORDER_LOOKS);
            self.session.set_memory_if_used(memory, looks);
        } else {
            self.session.set_memory(self.memory);
        }
        if slice.audit {
            self.audit(loaded, execution, seed)
        } else {
            self.looking(execution, |runner| runner.execute(loaded, execution, Mode::Explore { seed }))
        }
    }

    /// Executes a task graph once, with choices that strategy `bytes` makes of these.
    pub fn execute_input(&mut self, graph: TaskGraph, seed: u64, choices: &[u16], number: u64) -> ControlFlow<()> {
        let mut loaded = self.load(graph);
        bytes::lay_out(choices);
        self.execute(&mut loaded, number, Mode::Explore { seed })
    }

    fn measure(&mut self, inputs: &[Vec<u8>]) {
        self.set_feedback(&Kind::ALL);
        for (number, bytes) in (0..).zip(inputs) {
            let Ok(input) = Input::decode(bytes) else { continue };
            counters::clear();
            self.edges.forget();
            let flow = self.execute_input(input.graph, input.seed, &input.choices, number);
            self.tally.outcome.features.push(counters::features());
            if flow.is_break() {
                return;
            }
        }
    }

    fn narrow(&mut self, inputs: &[Vec<u8>], every: u64) {
        for (number, bytes) in (0..).zip(inputs) {
            let Ok(input) = Input::decode(bytes) else { continue };
            if self.execute_input(input.graph, input.seed, &input.choices, number).is_break() {
                return;
            }
            if number + 1 - self.unchecked >= every && self.leaks(number + 1) {
                return;
            }
        }
        self.leaks(inputs.len() as u64);
    }

    /// # Errors
    /// The runtime cannot execute the task graph.
    fn check_offers(&self, graph: &TaskGraph) -> Result<()> {
        ensure!(
            task_graph::allows(&self.offers, graph),
            "the task graph needs what the runtime does not offer, which is without {}; record the case anew with \
             `threadbare fuzz`",
            self.offers.left_out().join(", ")
        );
        Ok(())
    }

    /// Makes `graph` the one that is executed and judged.
    fn load(&mut self, graph: TaskGraph) -> Loaded {
        let has_states = self.feedback.contains(&Kind::Oracles);
        Loaded::graph(&mut self.session, graph, self.threads, &self.offers, has_states)
    }

    /// Loads the program.
    fn load_program(&mut self, program: &Program) -> Result<Loaded> {
        self.session.load_image(&self.object, &program.arguments)?;
        self.session.set_injections(Injections::of(&program.injections));
        if !self.is_watched || program.framework.is_some() {
            self.session.keep_output(!self.is_watched).context("cannot keep what the program prints")?;
        }
        Ok(Loaded::Program(Pace::of(program.framework)))
    }

    /// Executes a program once, and keeps what it prints.
    fn list(&mut self, program: &Program) -> Result<()> {
        let mut loaded = self.load_program(program)?;
        let mut capture = Capture::begin(true).context("cannot keep what the program prints")?;
        let ran = loaded.execute(&mut self.session, 0, Mode::Explore { seed: 0 }, &self.tally.known, false);
        self.tally.outcome.printed = capture.take();
        self.tally.outcome.refused = match (ran.ending, ran.judgement) {
            (Ending::Unsupported(what), _) => Some(not_emulated(&what)),
            // It may have more tests than it came to name.
            (Ending::TooLong(_), Judgement::Incomparable(_, why)) => Some(why),
            _ => None,
        };
        Ok(())
    }

    /// Executes once, judges, and says whether to go on.
    fn execute(&mut self, loaded: &mut Loaded, number: u64, mode: Mode<'_>) -> ControlFlow<()> {
        let ran = loaded.execute(&mut self.session, number, mode, &self.tally.known, false);
        if self.feedback.contains(&Kind::Edges) {
            self.edges.look();
        }
        self.take(loaded, number, ran)
    }

    /// Takes in an execution, and says whether the process can go on.
    #[inline(always)]
    fn take(&mut self, loaded: &mut Loaded, number: u64, ran: Ran) -> ControlFlow<()> {
        if let Loaded::Program(pace) = loaded {
            pace.learn(&ran);
        }
        self.tally.take(number, ran)
    }

    /// Whether memory was lost since the last look, before execution `end`. What a known finding leaks is not another
    /// finding.
    pub fn leaks(&mut self, end: u64) -> bool {
        let first = std::mem::replace(&mut self.unchecked, end);
        if end == first || self.tally.repeats || !control::leaks() {
            return false;
        }
        self.tally.outcome.leaked = Some(LeakWindow { first, count: end - first });
        true
    }
}
