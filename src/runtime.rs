//! The bridge to the C++ side: targets that are loaded, and task graphs in the form that the C++ interpreter reads.

use std::path::Path;

use anyhow::{Context, Result};
use cxx::{ExternType, UniquePtr, type_id};

use crate::task_graph::{AccessChecks, Call, EventReset, Operation, TaskGraph};

/// A task, for cpp/harness/task_graph_spec.hpp.
#[repr(C)]
struct TaskSpec {
    affinity: u8,
    result: u8,
    first_operation: u32,
    operation_count: u32,
}

/// An operation, for cpp/harness/task_graph_spec.hpp. `object` is an object, task, affinity, time, failure
/// code or the first of the children, as the operation has it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct OperationSpec {
    code: u8,
    object: u32,
    child_count: u32,
    value: i64,
}

// SAFETY: plain data with the layout of the C++ structs of these names, which the bridge asserts.
unsafe impl ExternType for TaskSpec {
    type Id = type_id!("threadbare::TaskSpec");
    type Kind = cxx::kind::Trivial;
}

// SAFETY: plain data with the layout of the C++ struct of that name, which the bridge asserts.
unsafe impl ExternType for OperationSpec {
    type Id = type_id!("threadbare::OperationSpec");
    type Kind = cxx::kind::Trivial;
}

#[cxx::bridge(namespace = "threadbare::bridge")]
mod ffi {
    /// A scenario of cpp/probes/scenarios/.
    #[derive(Clone, Debug)]
    struct ScenarioInfo {
        /// Begins with the name of its system and a dash.
        name: String,
        /// What its component has; empty for the correct one.
        bug: String,
        /// About how many scheduling points an execution takes.
        points: u32,
    }

    /// What an operation's ids refer to; see `task_graph::Objects`.
    struct ObjectCounts {
        mutexes: u32,
        semaphores: Vec<u32>,
        /// 0 manual, 1 auto.
        events: Vec<u8>,
        latches: Vec<u32>,
        barriers: Vec<u32>,
        channels: Vec<u32>,
        /// 0 checked, 1 unchecked.
        processors: Vec<u8>,
        engines: u32,
        registries: u32,
        leases: u32,
    }

    unsafe extern "C++" {
        include!("harness/bridge.hpp");

        #[namespace = "threadbare"]
        type TaskSpec = super::TaskSpec;
        #[namespace = "threadbare"]
        type OperationSpec = super::OperationSpec;
        #[namespace = "threadbare"]
        type Runtime;

        type Library;

        fn load_library(path: &str) -> Result<UniquePtr<Library>>;
        fn open_runtime(library: &Library) -> Result<UniquePtr<Runtime>>;
        fn fits_fibers(library: &Library) -> Result<bool>;
        fn execute_task_graph(
            runtime: Pin<&mut Runtime>,
            tasks: &[TaskSpec],
            operations: &[OperationSpec],
            children: &[u32],
            objects: &ObjectCounts,
            threads: u32,
        );
        fn recover_leases(runtime: Pin<&mut Runtime>, objects: &ObjectCounts) -> Result<Vec<i64>>;
        fn origin(self: &Library) -> usize;
        fn warm_up();
        fn run_probe(library: &Library, name: &str, bug: &str) -> i64;
        fn list_scenarios(library: &Library) -> Result<Vec<ScenarioInfo>>;
    }
}

pub use ffi::ScenarioInfo;

/// A runtime that is loaded.
#[derive(Default)]
pub struct Runtime {
    runtime: Option<UniquePtr<ffi::Runtime>>,
    /// Its compiler keeps thread-local variables of fibers apart.
    fits_fibers: bool,
    origin: usize,
}

/// A target that is made of the tests' own C++ functions.
pub struct Probes(UniquePtr<ffi::Library>);

/// A task graph in the form that the C++ interpreter reads.
pub struct LoadedTaskGraph {
    tasks: Vec<TaskSpec>,
    operations: Vec<OperationSpec>,
    children: Vec<u32>,
    objects: ffi::ObjectCounts,
}

impl Runtime {
    /// Loads the runtime in a shared object. An empty path stands for what is linked into the executable.
    ///
    /// # Errors
    /// It cannot be loaded, or is no runtime.
    pub fn load(object: &Path) -> Result<Self> {
        let library = load_library(object)?;
        let runtime = ffi::open_runtime(&library).with_context(|| {
            let name = if object.as_os_str().is_empty() { Path::new("this executable") } else { object };
            format!("{} holds no runtime; one of its sources must have THREADBARE_RUNTIME(…)", name.display())
        })?;
        Ok(Self { runtime: Some(runtime), fits_fibers: ffi::fits_fibers(&library)?, origin: library.origin() })
    }

    /// Whether the engine `fibers` can execute it.
    #[must_use]
    pub fn fits_fibers(&self) -> bool {
        self.fits_fibers
    }

    /// The address that the target was loaded to.
    pub(crate) fn origin(&self) -> usize {
        self.origin
    }

    /// Lets the leases of a task graph recover from a crash in the middle of it. Gives the holder of each, or -1.
    pub(crate) fn recover(&mut self, graph: &LoadedTaskGraph) -> Result<Vec<i64>> {
        match &mut self.runtime {
            Some(runtime) => {
                ffi::recover_leases(runtime.pin_mut(), &graph.objects).context("a lease cannot recover from a crash")
            }
            None => Ok(vec![]),
        }
    }

    /// Runs a task graph to its end, or never returns if the controller stops it.
    pub(crate) fn execute(&mut self, graph: &LoadedTaskGraph, threads: u32) {
        if let Some(runtime) = &mut self.runtime {
            let LoadedTaskGraph { tasks, operations, children, objects } = graph;
            ffi::execute_task_graph(runtime.pin_mut(), tasks, operations, children, objects, threads);
        }
    }
}

fn load_library(object: &Path) -> Result<UniquePtr<ffi::Library>> {
    let path = object.to_str().with_context(|| format!("{}: the path is not UTF-8", object.display()))?;
    ffi::load_library(path).with_context(|| format!("cannot load {path}"))
}

impl Probes {
    /// Loads them from a shared object.
    ///
    /// # Errors
    /// It cannot be loaded.
    pub fn load(object: &Path) -> Result<Self> {
        load_library(object).map(Self)
    }

    /// The address that the target was loaded to.
    pub(crate) fn origin(&self) -> usize {
        self.0.origin()
    }

    /// Those that tell of themselves: the scenarios of the five systems, with correct and with buggy components.
    ///
    /// # Errors
    /// None do.
    pub fn scenarios(&self) -> Result<Vec<ScenarioInfo>> {
        ffi::list_scenarios(&self.0).context("a target without scenarios")
    }

    /// Runs one, with that bug or none (an empty name): -1 if it is not there or found something wrong. A scenario
    /// gives 0 if everything was as it expects, else the line of what first was not.
    pub(crate) fn run(&self, name: &str, bug: &str) -> i64 {
        ffi::run_probe(&self.0, name, bug)
    }
}

/// Lets the C++ library initialise what it does on first use (its locales), which would else be a point, and
/// allocations, of the execution that it happens in.
pub(crate) fn warm_up() {
    ffi::warm_up();
}

impl LoadedTaskGraph {
    #[must_use]
    pub fn new(graph: &TaskGraph) -> Self {
        let objects = &graph.objects;
        let mut loaded = Self {
            tasks: Vec::with_capacity(graph.tasks.len()),
            operations: Vec::new(),
            children: Vec::new(),
            objects: ffi::ObjectCounts {
                mutexes: objects.mutexes,
                semaphores: objects.semaphores.clone(),
                events: objects.events.iter().map(|reset| u8::from(*reset == EventReset::Auto)).collect(),
                latches: objects.latches.clone(),
                barriers: objects.barriers.clone(),
                channels: objects.channels.clone(),
                processors: objects.processors.iter().map(|checks| u8::from(*checks == AccessChecks::Off)).collect(),
                engines: objects.engines,
                registries: objects.registries,
                leases: objects.leases,
            },
        };
        for task in &graph.tasks {
            loaded.tasks.push(TaskSpec {
                affinity: task.affinity as u8,
                result: task.result as u8,
                first_operation: loaded.operations.len() as u32,
                operation_count: task.operations.len() as u32,
            });
            for operation in &task.operations {
                let operation = loaded.operation(operation);
                loaded.operations.push(operation);
            }
        }
        loaded
    }

    #[must_use]
    pub fn task_count(&self) -> usize {
        self.tasks.len()
    }

    /// Whether its executions make files.
    #[must_use]
    pub fn has_files(&self) -> bool {
        self.objects.leases > 0
    }

    #[must_use]
    pub fn operation_count(&self) -> usize {
        self.operations.len()
    }

    fn operation(&mut self, operation: &Operation) -> OperationSpec {
        let object = operation.operand().unwrap_or_default();
        let spec = OperationSpec { code: operation.code(), object, ..OperationSpec::default() };
        match operation {
            Operation::Compute(value) | Operation::Send(_, value) => OperationSpec { value: *value, ..spec },
            Operation::WhenAll(tasks) | Operation::WhenAny(tasks) => {
                let object = self.children.len() as u32;
                self.children.extend_from_slice(tasks);
                OperationSpec { object, child_count: tasks.len() as u32, ..spec }
            }
            Operation::Call(call) => OperationSpec { object: object_of(call), value: argument(call), ..spec },
            _ => spec,
        }
    }
}

fn object_of(call: &Call) -> u32 {
    call.object().map_or(0, |(_, id)| id)
}

/// What a call takes besides its object: a pair in its halves, `a` in the upper one.
fn argument(call: &Call) -> i64 {
    match *call {
        Call::Resume(_, body) => body as i64,
        Call::PutContext(value) => value,
        Call::StartArc(_, pair)
        | Call::ProgressArc(_, pair)
        | Call::CompleteArc(_, pair)
        | Call::CancelArc(_, pair)
        | Call::ArcStatus(_, pair) => i64::from(pair.a) << 32 | i64::from(pair.b),
        Call::AcquireLease(_, number)
        | Call::RefreshLease(_, number)
        | Call::ReleaseLease(_, number)
        | Call::CleanupStale(_, number) => i64::from(number),
        Call::BeginBranch(_)
        | Call::NestBranch
        | Call::EndBranch
        | Call::GetContext
        | Call::ActiveArcs(_)
        | Call::ProcessArcs(_)
        | Call::LeaseHolder(_) => 0,
    }
}
