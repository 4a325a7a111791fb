//! What makes a task graph valid: bounds, the task tree, who may use a handle, locks given back.

use std::fmt;

use super::call::{Call, MAX_AGENTS};
use super::{Affinity, CLOSED, OUT_OF_MEMORY, ObjectId, Operation, TaskGraph, TaskId};

/// Tasks of a task graph: at most.
pub const MAX_TASKS: usize = 65_536;
/// Operations of a task: at most, since events carry their index in 16 bits.
pub const MAX_OPERATIONS: usize = 65_535;
/// Objects of one kind: at most.
pub const MAX_OBJECTS: usize = 4_096;
/// Permits, arrivals and participants: at most.
pub const MAX_COUNT: u32 = 1_000_000;
/// Capacity of a channel: at most.
pub const MAX_CAPACITY: u32 = 4_096;
/// Virtual microseconds of a `Sleep`: at most.
pub const MAX_SLEEP: u32 = 10_000_000;

/// What is wrong with a task graph, where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The task and, if it is an operation, its index.
    pub place: Option<(TaskId, Option<usize>)>,
    pub what: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((task, Some(operation))) => write!(formatter, "task {task}, operation {operation}: {}", self.what),
            Some((task, None)) => write!(formatter, "task {task}: {}", self.what),
            None => formatter.write_str(&self.what),
        }
    }
}

impl std::error::Error for Invalid {}

/// Checks everything that the rest of threadbare takes for granted. It does not check that the task graph
/// cannot get stuck: a task graph written by hand may, and is then reported as a deadlock.
///
/// # Errors
/// The first mistake, in the order of tasks and operations.
pub fn validate(graph: &TaskGraph) -> Result<(), Invalid> {
    check_bounds(graph)?;
    let mut check = Check {
        graph,
        begun: vec![false; graph.tasks.len()],
        arrivals: vec![0; graph.objects.latches.len()],
        handles: vec![],
        locks: vec![],
        tickets: vec![],
        branches: 0,
    };
    for (id, task) in graph.tasks.iter().enumerate() {
        check.task(id, task.operations.as_slice())?;
    }
    match check.begun.iter().skip(1).position(|&begun| !begun) {
        Some(missing) => Err(Invalid {
            place: Some((missing as TaskId + 1, None)),
            what: "no operation begins it; name it in an await, when-all, when-any or start of an earlier task".into(),
        }),
        None => Ok(()),
    }
}

fn check_bounds(graph: &TaskGraph) -> Result<(), Invalid> {
    let objects = &graph.objects;
    let whole = |what: String| Err(Invalid { place: None, what });
    if graph.tasks.is_empty() {
        return whole("the task graph has no tasks; write at least `task 0 main int`".into());
    }
    if graph.tasks[0].affinity != Affinity::Main {
        let what = "the root runs on the main thread; give it the affinity `main`".into();
        return Err(Invalid { place: Some((0, None)), what });
    }
    if graph.tasks.len() > MAX_TASKS {
        return whole(format!("more than {MAX_TASKS} tasks; split the task graph"));
    }
    for (kind, count) in [
        ("mutexes", objects.mutexes as usize),
        ("semaphores", objects.semaphores.len()),
        ("events", objects.events.len()),
        ("latches", objects.latches.len()),
        ("barriers", objects.barriers.len()),
        ("channels", objects.channels.len()),
        ("processors", objects.processors.len()),
        ("engines", objects.engines as usize),
        ("registries", objects.registries as usize),
        ("leases", objects.leases as usize),
    ] {
        if count > MAX_OBJECTS {
            return whole(format!("more than {MAX_OBJECTS} {kind}; use fewer"));
        }
    }
    for (kind, least, most, counts) in [
        ("semaphore", 0, MAX_COUNT, &objects.semaphores),
        ("latch", 1, MAX_COUNT, &objects.latches),
        ("barrier", 1, MAX_COUNT, &objects.barriers),
        ("channel", 1, MAX_CAPACITY, &objects.channels),
    ] {
        if let Some(index) = counts.iter().position(|count| !(least..=most).contains(count)) {
            return whole(format!("{kind} {index} has the count {}; it must be {least} to {most}", counts[index]));
        }
    }
    Ok(())
}

struct Check<'a> {
    graph: &'a TaskGraph,
    begun: Vec<bool>,
    /// Arrivals at each latch so far, in the order of tasks.
    arrivals: Vec<u32>,
    /// Of the current task: children it holds a handle of, locks it holds, barriers it arrived at.
    handles: Vec<TaskId>,
    locks: Vec<ObjectId>,
    tickets: Vec<ObjectId>,
    /// Branches that it is in.
    branches: usize,
}

impl Check<'_> {
    fn task(&mut self, id: usize, operations: &[Operation]) -> Result<(), Invalid> {
        let task = id as TaskId;
        let mistake = |operation, what| Invalid { place: Some((task, operation)), what };
        if operations.len() > MAX_OPERATIONS {
            return Err(mistake(None, format!("more than {MAX_OPERATIONS} operations; split the task")));
        }
        self.handles.clear();
        self.locks.clear();
        self.tickets.clear();
        self.branches = 0;
        for (index, operation) in operations.iter().enumerate() {
            self.object(operation)
                .and_then(|()| self.operation(task, operation))
                .map_err(|what| mistake(Some(index), what))?;
        }
        let throws = matches!(operations.last(), Some(Operation::Throw(_)));
        if self.branches > 0 && !throws {
            return Err(mistake(None, "it ends inside a branch; add `end-branch`".into()));
        }
        if let (Some(lock), false) = (self.locks.first(), throws) {
            return Err(mistake(None, format!("it ends with mutex {lock} locked; add `unlock {lock}`")));
        }
        Ok(())
    }

    /// Checks that the object of the operation exists.
    fn object(&self, operation: &Operation) -> Result<(), String> {
        let objects = &self.graph.objects;
        let (kind, id, count) = match *operation {
            Operation::Lock(id) | Operation::Unlock(id) => ("mutex", id, objects.mutexes as usize),
            Operation::Acquire(id) | Operation::Release(id) => ("semaphore", id, objects.semaphores.len()),
            Operation::SetEvent(id) | Operation::ResetEvent(id) | Operation::WaitEvent(id) => {
                ("event", id, objects.events.len())
            }
            Operation::LatchArrive(id) | Operation::LatchWait(id) => ("latch", id, objects.latches.len()),
            Operation::BarrierArrive(id) | Operation::BarrierWait(id) => ("barrier", id, objects.barriers.len()),
            Operation::Send(id, _) | Operation::Receive(id) | Operation::Close(id) => {
                ("channel", id, objects.channels.len())
            }
            Operation::Call(call) => match call.object() {
                Some((system, id)) => (system.word(), id, objects.count(system)),
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        if (id as usize) < count {
            return Ok(());
        }
        Err(format!("there is no {kind} {id}, the task graph has {count}; declare it under `objects`"))
    }

    fn operation(&mut self, task: TaskId, operation: &Operation) -> Result<(), String> {
        for &child in operation.begins() {
            self.begin(task, child)?;
        }
        if self.branches > 0 && operation.suspends() {
            return Err(
                "it may suspend the task inside a branch, which stays on its thread; end the branch first".into()
            );
        }
        match *operation {
            Operation::WhenAll(ref children) | Operation::WhenAny(ref children) if children.is_empty() => {
                return Err("it names no task; name at least one".into());
            }
            Operation::Start(child) => self.handles.push(child),
            Operation::Join(child) | Operation::Detach(child) => {
                let place = self.handle(child)?;
                self.handles.swap_remove(place);
            }
            Operation::Cancel(child) => {
                self.handle(child)?;
            }
            Operation::Sleep(microseconds) if microseconds > MAX_SLEEP => {
                return Err(format!("sleeps {microseconds} microseconds; at most {MAX_SLEEP} are allowed"));
            }
            Operation::Throw(code @ OUT_OF_MEMORY..) => {
                return Err(format!(
                    "the code {code} is that of cancellation or of memory running out; use a smaller one"
                ));
            }
            Operation::Lock(id) => {
                if self.locks.contains(&id) {
                    return Err(format!("the task already holds mutex {id}; unlock it first"));
                }
                self.locks.push(id);
            }
            Operation::Unlock(id) => match self.locks.iter().position(|&lock| lock == id) {
                Some(place) => {
                    self.locks.swap_remove(place);
                }
                None => return Err(format!("the task does not hold mutex {id}; lock it first")),
            },
            Operation::LatchArrive(id) => {
                let count = self.graph.objects.latches[id as usize];
                self.arrivals[id as usize] += 1;
                if self.arrivals[id as usize] > count {
                    return Err(format!(
                        "arrival number {} at latch {id}, which counts down from {count}; \
                        declare it with a higher count",
                        self.arrivals[id as usize]
                    ));
                }
            }
            Operation::BarrierArrive(id) if !self.tickets.contains(&id) => self.tickets.push(id),
            Operation::BarrierWait(id) if !self.tickets.contains(&id) => {
                return Err(format!("the task has not arrived at barrier {id}; arrive first"));
            }
            Operation::Send(_, CLOSED) => {
                return Err(format!("{CLOSED} stands for a closed channel; send another value"));
            }
            Operation::Call(ref call) => self.call(call)?,
            _ => {}
        }
        Ok(())
    }

    fn call(&mut self, call: &Call) -> Result<(), String> {
        match *call {
            Call::BeginBranch(_) | Call::NestBranch => self.branches += 1,
            Call::EndBranch | Call::GetContext | Call::PutContext(_) if self.branches == 0 => {
                return Err("the task is in no branch; write `begin-branch` above".into());
            }
            Call::EndBranch => self.branches -= 1,
            Call::StartArc(_, pair)
            | Call::ProgressArc(_, pair)
            | Call::CompleteArc(_, pair)
            | Call::CancelArc(_, pair)
            | Call::ArcStatus(_, pair) => return agent(pair.a).and_then(|()| agent(pair.b)),
            Call::AcquireLease(_, number) | Call::RefreshLease(_, number) | Call::ReleaseLease(_, number) => {
                return agent(number);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, task: TaskId, child: TaskId) -> Result<(), String> {
        let count = self.graph.tasks.len();
        if child as usize >= count {
            return Err(format!("there is no task {child}, the task graph has {count}; add it"));
        }
        if child <= task {
            return Err(format!("task {child} does not come after the task that begins it; give it a higher number"));
        }
        if std::mem::replace(&mut self.begun[child as usize], true) {
            return Err(format!("task {child} is already begun elsewhere; a task is begun once"));
        }
        Ok(())
    }

    fn handle(&self, child: TaskId) -> Result<usize, String> {
        self.handles.iter().position(|&handle| handle == child).ok_or_else(|| {
            format!("the task holds no handle of task {child}; start it earlier in the same task, and give it up once")
        })
    }
}

fn agent(number: u32) -> Result<(), String> {
    if number < MAX_AGENTS {
        return Ok(());
    }
    Err(format!("there is no agent {number}; number agents below {MAX_AGENTS}"))
}
