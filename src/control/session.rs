//! A target that is loaded into this process, and its executions, one after the other.

mod probes;
mod program;
mod races;
mod run;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::active::Active;
use super::controller::Controller;
use super::directory::Directory;
use super::engine::Engine as Carrier;
use super::hooks;
use super::image::Image;
use super::order;
use super::sanitizer;
use crate::feedback::{Kind, Observer};
use crate::model::execution::{Ending, Execution, Step};
use crate::model::extent::Extent;
use crate::model::left_out::LeftOut;
use crate::model::schedule::Schedule;
use crate::model::settings::{Engine, MAX_THREADS, MemoryModel, Races, Sanitizer, Settings};
use crate::process::{self, Streams};
use crate::protocol::Trace;
use crate::runtime::{LoadedTaskGraph, Probes, Runtime};
use crate::strategy::{self, Guide};
use crate::task_graph::{Injections, TaskGraph};
use run::Limits;

/// Step budget of an execution: this, and so much for every operation and thread.
const POINTS_ALLOWED: u64 = 20_000;
const POINTS_PER_OPERATION: u64 = 1_000;
const POINTS_PER_THREAD: u64 = 2_000;
/// What an operation is expected to take, for strategies that plan ahead.
const POINTS_EXPECTED_PER_OPERATION: u64 = 10;
const POINTS_EXPECTED_PER_THREAD: u64 = 30;
/// Events that a task graph can make: some for each task and operation (a nested `Resume` makes most), and room for
/// the harmless rest.
const EVENTS_PER_TASK: usize = 4;
const EVENTS_PER_OPERATION: usize = 6;
const EVENTS_SPARE: usize = 64;

/// Where the choices of an execution come from.
pub enum Mode<'a> {
    /// From the strategy of the settings, seeded.
    Explore { seed: u64 },
    /// From a recorded schedule.
    Replay(&'a Schedule),
    /// From a schedule's departures, as far as they fit.
    Guided(&'a Guide),
}

/// What a session begins with.
pub enum Loading<'a> {
    /// The runtime in a shared object; an empty path stands for what is linked into the executable.
    Runtime(&'a Path),
    /// Nothing yet.
    Later,
}

/// A target under control. A process opens one, since the hooks and engines are the process's.
pub struct Session {
    runtime: Runtime,
    /// Only in tests.
    probes: Option<Probes>,
    graph: Option<LoadedTaskGraph>,
    threads: u32,
    control: Control,
    injections: Injections,
    memory: MemoryModel,
    /// The memory orders of operations are looked at, even though executions are interleavings.
    looks_at_orders: bool,
    judges_races: bool,
    /// The accesses to watch for in the next execution, which is one that was made before.
    watched: Vec<u32>,
    /// The choices of the last execution, if another one came after it.
    schedule: Option<Schedule>,
    /// Accesses so far that were not judged, for want of room.
    unjudged: u64,
    directory: Option<Directory>,
    /// The program under check, where nothing is controlled. It must end by returning from `main`.
    free_image: OnceCell<Image>,
    execution: Execution,
    /// That of the runtime.
    object: Option<PathBuf>,
    /// Where the steps are kept of an execution that is logged.
    steps_file: Option<PathBuf>,
    /// What the program under check prints, if that is kept.
    streams: Option<Streams>,
    /// An execution was stopped midway: its threads are still there, so there can be no other.
    spent: bool,
}

enum Control {
    // Never freed: fibers and hooks keep its address.
    Controlled(&'static Active),
    Free(Trace),
}

impl Session {
    /// Loads a target and opens the engine that the settings name, recording choices in `trace`. A runtime is ready then;
    /// a program is loaded by [`Session::load_image`], and probes by [`Session::load_probes`].
    ///
    /// # Errors
    /// The target is none; another sanitizer is loaded than the settings say; a number of threads out of bounds.
    pub fn open(settings: &Settings, target: Loading<'_>, mut trace: Trace) -> Result<Self> {
        ensure!(
            (1..=MAX_THREADS).contains(&settings.threads),
            "{} threads are out of bounds: choose 1 to {MAX_THREADS}",
            settings.threads
        );
        ensure!(
            settings.sanitizer == sanitizer::loaded(),
            "this process was to run with sanitizer {}, and {} is loaded; does its runtime fit this system?",
            settings.sanitizer.word(),
            sanitizer::loaded().word()
        );
        if sanitizer::loaded() == Sanitizer::None {
            process::die_of_faults();
        }
        let judges_races = settings.races == Races::On && sanitizer::loaded() != Sanitizer::Thread;
        if judges_races {
            hooks::watch_allocations();
        }
        trace.ready();
        let object = match target {
            Loading::Runtime(object) => Some(object.to_owned()),
            Loading::Later => None,
        };
        let runtime = match target {
            Loading::Runtime(object) => {
                hooks::look_at(object);
                let keys = hooks::LastingKeys::begin();
                let runtime = Runtime::load(object)?;
                drop(keys);
                ensure!(
                    settings.engine != Engine::Fibers || runtime.fits_fibers(),
                    "the engine fibers needs clang, and {} was built with another compiler",
                    object.display()
                );
                runtime
            }
            Loading::Later => Runtime::default(),
        };
        hooks::set_origin(runtime.origin());
        if (judges_races || sanitizer::loaded() == Sanitizer::None)
            && let Some(object) = &object
            && let Some((place, _)) = process::ranges_of(object)
        {
            if sanitizer::loaded() == Sanitizer::None {
                process::tell_faults_of(object, &place);
            }
            if judges_races {
                sanitizer::set_program(&place);
            }
        }
        let control = match settings.engine {
            Engine::Free => Control::Free(trace),
            Engine::Fibers => Control::controlled(trace, settings, Carrier::fibers()),
            Engine::Threads => Control::controlled(trace, settings, Carrier::os_threads()),
        };
        Ok(Self {
            runtime,
            probes: None,
            graph: None,
            threads: settings.threads.into(),
            control,
            injections: Injections::default(),
            memory: settings.memory,
            looks_at_orders: false,
            judges_races,
            watched: Vec::new(),
            schedule: None,
            unjudged: 0,
            directory: None,
            free_image: OnceCell::new(),
            execution: Execution::completed(Vec::new()),
            object,
            steps_file: None,
            streams: None,
            spent: false,
        })
    }

    /// Gives the target a directory for its files (`threadbare_directory()` in C++), which is made now, empty at
    /// the start of each execution, and removed with the session.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn set_directory(&mut self, path: PathBuf) -> Result<()> {
        self.directory = None; // There is one at a time.
        self.directory = Some(Directory::create(path)?);
        Ok(())
    }

    /// The directory of the target's files, if it has one.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_ref().map(Directory::path)
    }

    /// The files that the last execution left, with what is in them, sorted by their names in the directory.
    #[must_use]
    pub fn files_left(&self) -> Vec<(String, Vec<u8>)> {
        self.directory.as_ref().map(Directory::files).unwrap_or_default()
    }

    /// Keeps the steps of executions that are logged in this file, with what they read and wrote.
    pub fn keep_steps(&mut self, path: PathBuf) {
        self.steps_file = Some(path);
    }

    /// What may go wrong in executions from now on; `load` says it anew.
    pub fn set_injections(&mut self, injections: Injections) {
        self.injections = injections;
    }

    /// The memory model of executions from now on.
    pub fn set_memory(&mut self, memory: MemoryModel) {
        (self.memory, self.looks_at_orders) = (memory, false);
    }

    /// The same, but interleavings as long as no order of an operation was seen that is weaker than sequential consistency. In
    /// one that `looks` they are looked at.
    pub fn set_memory_if_used(&mut self, memory: MemoryModel, looks: bool) {
        let is_used = order::has_weaker_orders();
        self.memory = if is_used { memory } else { MemoryModel::Sc };
        self.looks_at_orders = looks && !is_used;
    }

    /// The memory model of executions.
    #[must_use]
    pub fn memory(&self) -> MemoryModel {
        self.memory
    }

    /// Makes `graph` the one that is executed.
    pub fn load(&mut self, graph: &TaskGraph) {
        self.injections = graph.injections;
        self.graph = Some(LoadedTaskGraph::new(graph));
        self.forget();
    }

    /// What is executed next is another task graph than before, of which the strategy knows nothing.
    pub fn forget(&mut self) {
        if let Control::Controlled(active) = &self.control {
            active.ask(Controller::forget);
        }
    }

    /// Counts feedback of these kinds in every execution from now on; see [`crate::feedback`].
    pub fn set_feedback(&mut self, kinds: &[Kind]) {
        if let Control::Controlled(active) = &self.control {
            let observer = (!kinds.is_empty()).then(|| Observer::new(kinds));
            active.ask(|controller| controller.set_observer(observer));
        }
    }

    /// Asks for the behaviour of the next execution; see [`Session::take_behaviour`].
    pub fn look_at_behaviour(&mut self) {
        if let Control::Controlled(active) = &self.control {
            active.ask(Controller::look_at_behaviour);
        }
    }

    /// Tells the behaviour of the last execution apart from others, if it was asked for: the set of its reads-from pairs, each a
    /// place in the code that reads and one that wrote what it saw. Nobody is asked without control.
    pub fn take_behaviour(&mut self) -> Option<u64> {
        match &self.control {
            Control::Controlled(active) => active.ask(Controller::take_behaviour),
            Control::Free(_) => None,
        }
    }

    /// Whether every execution was made that the strategy would make of what was executed since it last forgot.
    #[must_use]
    pub fn search_ended(&self) -> bool {
        match &self.control {
            Control::Controlled(active) => active.ask(|controller| controller.search_ended()),
            Control::Free(_) => false,
        }
    }

    /// How far a search of all executions has come since it last forgot, if the strategy is one.
    #[must_use]
    pub fn extent(&self) -> Option<Extent> {
        match &self.control {
            Control::Controlled(active) => active.ask(|controller| controller.extent()),
            Control::Free(_) => None,
        }
    }

    /// What the strategy had no say in since it last forgot, and what was not judged for races so far.
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        let left_out = match &self.control {
            Control::Controlled(active) => active.ask(|controller| controller.left_out()),
            Control::Free(_) => LeftOut::default(),
        };
        LeftOut { unjudged: self.unjudged, ..left_out }
    }

    /// Executes the loaded task graph once; `number` tells the supervisor which execution it is.
    ///
    /// # Panics
    /// If no task graph is loaded, or an earlier execution was stopped midway (see [`Session::is_spent`]).
    pub fn execute(&mut self, number: u64, mode: Mode<'_>) -> &Execution {
        self.run_graph(number, mode);
        self.tell_of_races(number, Self::run_graph);
        &self.execution
    }

    fn run_graph(&mut self, number: u64, mode: Mode<'_>) {
        let graph = self.graph.take().expect("a task graph is loaded before it is executed");
        let operations = graph.operation_count() as u64;
        let points = POINTS_ALLOWED + POINTS_PER_OPERATION * operations + POINTS_PER_THREAD * u64::from(self.threads);
        let events =
            graph.operation_count() * EVENTS_PER_OPERATION + graph.task_count() * EVENTS_PER_TASK + EVENTS_SPARE;
        let expected_points =
            POINTS_EXPECTED_PER_OPERATION * operations + POINTS_EXPECTED_PER_THREAD * u64::from(self.threads);
        let limits = Limits { budget: points.into(), expected_points, events };
        let threads = self.threads;
        self.run(number, mode, limits, |runtime| runtime.execute(&graph, threads));
        self.execution.files_left.clear();
        self.execution.aftermath = None;
        if graph.has_files() {
            if let Ending::Crashed { .. } = self.execution.ending {
                self.recover(&graph);
            }
            self.execution.files_left.extend(self.directory.as_ref().map(Directory::names).unwrap_or_default());
        }
        self.graph = Some(graph);
    }

    /// As [`Session::execute`], and keeps the steps in the file that [`Session::keep_steps`] named, if it did; gives them.
    pub fn log_task_graph(&mut self, number: u64, mode: Mode<'_>) -> (&Execution, Vec<Step>) {
        let active = match (&self.control, &self.steps_file) {
            (Control::Controlled(active), Some(_)) => Some(*active),
            _ => None,
        };
        active.inspect(|active| active.begin_log(self.steps_file.as_deref(), self.object.as_deref()));
        self.run_graph(number, mode);
        let steps = active.map(Active::end_log).unwrap_or_default();
        self.tell_of_races(number, Self::run_graph);
        (&self.execution, steps)
    }

    /// How the last execution ended, which is asked once.
    pub fn take_ending(&mut self) -> Ending {
        std::mem::replace(&mut self.execution.ending, Ending::Completed)
    }

    /// Reports of these signatures count no more: they are known.
    pub fn know_reports(&mut self, signatures: &[u64]) {
        sanitizer::know(signatures);
    }

    /// What tells the last execution's reports from others.
    #[must_use]
    pub fn report_signatures(&self) -> Vec<u64> {
        sanitizer::signatures()
    }

    /// Whether the last execution was one of its first thread alone.
    #[must_use]
    pub fn has_one_thread(&self) -> bool {
        match &self.control {
            Control::Controlled(active) => active.ask(|controller| controller.thread_count()) == 1,
            Control::Free(_) => false,
        }
    }

    /// Whether an execution was stopped midway, after which only `process::end_now` is left.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.spent
    }

    /// The choices of the last execution.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        if let Some(schedule) = &self.schedule {
            return schedule.clone();
        }
        match &self.control {
            Control::Controlled(active) => active.ask(|controller| controller.trace().schedule()),
            Control::Free(_) => Schedule::default(),
        }
    }
}

impl Control {
    fn controlled(trace: Trace, settings: &Settings, carrier: Carrier) -> Self {
        process::never_single_threaded();
        let controller = Controller::new(trace, strategy::by_name(settings.strategy));
        hooks::warm_up();
        crate::runtime::warm_up(); // After that: libstdc++ initialises in two ways.
        Self::Controlled(Box::leak(Box::new(Active::new(controller, carrier))))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.spent {
            // Threads that are suspended inside the target still refer to it.
            std::mem::forget(std::mem::take(&mut self.runtime));
        }
    }
}
