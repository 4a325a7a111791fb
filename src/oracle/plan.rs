//! A task graph in the form that the oracles read quickly: flat tables, with what is known beforehand.

use crate::model::execution::Event;
use crate::model::offers::{Capability, Losers, Offers};
use crate::model::schedule::Injection;
use crate::reference::Stops;
use crate::task_graph::{Affinity, Begun, Call, Objects, Operation, ResultKind, TaskGraph, TaskId, Tree, stops_losers};

/// No such place.
pub(super) const NONE: u32 = u32::MAX;

pub(super) struct Plan {
    /// Those that may run tasks.
    pub threads: u16,
    /// The scheduler destroys what has not ended; else everything has by then.
    pub destroys: bool,
    /// A `WhenAny` may return while its losers run.
    pub losers_run_on: bool,
    pub objects: Objects,
    /// Whether the controller may let the removal of a file fail.
    pub removal_may_fail: bool,
    /// The allocation that the controller makes fail, counted from 1.
    pub failing_allocation: Option<u64>,
    pub tasks: Vec<PlannedTask>,
    /// The operations of all tasks, those of one task in a row.
    pub operations: Vec<Planned>,
}

#[derive(Clone, Copy)]
pub(super) struct PlannedTask {
    /// Place of its first operation in [`Plan::operations`].
    pub first: u32,
    pub count: u16,
    pub affinity: Affinity,
    pub void: bool,
    pub begun: Begun,
    /// The operation of the parent that begins it; of the root, 0.
    pub operation: u16,
    pub parent: TaskId,
    /// Whether it can be asked to stop.
    pub stoppable: bool,
}

pub(super) struct Planned {
    /// Its own place in [`Plan::operations`].
    pub at: usize,
    pub operation: Operation,
    pub suspends: bool,
    /// It gives nothing, and neither its call nor its return says anything about how a task ends.
    pub plain: bool,
    /// It is plain, and on no object whose history is looked at: all that there is to it is the life of its task.
    pub quiet: bool,
    /// It keeps a promise that is not about the order of calls.
    pub promises: bool,
    /// Where the task is after it, if that changes.
    pub hops: Option<Affinity>,
    pub catches: bool,
    pub begins_branch: bool,
}

impl Planned {
    fn of(operation: &Operation, at: usize, offers: &Offers) -> Self {
        Self {
            at,
            operation: operation.clone(),
            suspends: operation.suspends() || operation.gives_back().is_some_and(|gives| offers.suspends(gives)),
            plain: is_plain(operation),
            quiet: is_quiet(operation),
            promises: matches!(operation, Operation::Sleep(_) | Operation::Call(_)),
            hops: if let Operation::Hop(affinity) = *operation { Some(affinity) } else { None },
            catches: matches!(operation, Operation::AwaitCatch(_)),
            begins_branch: matches!(operation, Operation::Call(Call::BeginBranch(_) | Call::NestBranch)),
        }
    }
}

fn is_plain(operation: &Operation) -> bool {
    match operation {
        Operation::Start(_)
        | Operation::Detach(_)
        | Operation::Hop(_)
        | Operation::Yield
        | Operation::Lock(_)
        | Operation::Unlock(_)
        | Operation::Acquire(_)
        | Operation::Release(_)
        | Operation::SetEvent(_)
        | Operation::ResetEvent(_)
        | Operation::WaitEvent(_)
        | Operation::LatchArrive(_)
        | Operation::LatchWait(_)
        | Operation::BarrierArrive(_)
        | Operation::BarrierWait(_)
        | Operation::Close(_) => true,
        Operation::Compute(_)
        | Operation::Await(_)
        | Operation::AwaitCatch(_)
        | Operation::WhenAll(_)
        | Operation::WhenAny(_)
        | Operation::Join(_)
        | Operation::Sleep(_)
        | Operation::Throw(_)
        | Operation::Cancel(_)
        | Operation::CheckCancel
        | Operation::Send(..)
        | Operation::Receive(_)
        | Operation::Call(_) => false,
    }
}

fn is_quiet(operation: &Operation) -> bool {
    matches!(operation, Operation::Start(_) | Operation::Detach(_) | Operation::Hop(_) | Operation::Yield)
}

impl Plan {
    pub fn of(graph: &TaskGraph, threads: u16, offers: &Offers) -> Self {
        let tree = if stops_losers(offers) { Tree::of(graph) } else { Tree::of(graph).without_races() };
        let has_main = offers.has(Capability::MainAffinity);
        let stops = Stops::of(graph, &tree);
        let mut operations: Vec<Planned> = vec![];
        let mut tasks = vec![];
        for (task, id) in graph.tasks.iter().zip(0..) {
            let first = operations.len();
            operations
                .extend(task.operations.iter().zip(first..).map(|(operation, at)| Planned::of(operation, at, offers)));
            tasks.push(PlannedTask {
                first: first as u32,
                count: task.operations.len() as u16,
                affinity: if has_main { task.affinity } else { Affinity::Worker },
                void: task.result == ResultKind::Void,
                begun: tree.begun(id),
                operation: tree.operation(id),
                parent: tree.parent(id),
                stoppable: stops.reach(id),
            });
        }
        Self {
            threads: threads + u16::from(offers.extra_threads),
            destroys: offers.destroys,
            losers_run_on: offers.losers == Losers::RunOn,
            objects: graph.objects.clone(),
            removal_may_fail: graph.injections.allow(Injection::Eio),
            failing_allocation: graph.injections.failing_allocation,
            tasks,
            operations,
        }
    }

    /// The task of an event that the lifecycle oracle has let pass.
    pub fn task(&self, event: &Event) -> &PlannedTask {
        &self.tasks[event.task as usize]
    }

    /// The place of an event's operation in [`Plan::operations`].
    pub fn at(&self, event: &Event) -> usize {
        self.task(event).first as usize + usize::from(event.operation)
    }

    /// What is known of the operation of such an event.
    #[inline]
    pub fn planned(&self, event: &Event) -> &Planned {
        &self.operations[self.at(event)]
    }

    /// The operation of an event of an operation that the lifecycle oracle has let pass.
    #[inline]
    pub fn operation(&self, event: &Event) -> &Operation {
        &self.operations[self.at(event)].operation
    }

    /// The operation of that index in a task.
    pub fn operation_of(&self, task: TaskId, index: u16) -> Option<&Operation> {
        let planned = self.tasks.get(task as usize)?;
        if index >= planned.count {
            return None;
        }
        Some(&self.operations[planned.first as usize + usize::from(index)].operation)
    }

    /// Where an event happened, for people, and the kind of its operation, if it has one.
    pub fn place(&self, event: &Event) -> (String, &'static str) {
        let operation =
            if event.kind.is_of_operation() { self.operation_of(event.task, event.operation) } else { None };
        match operation {
            Some(operation) => {
                (format!("task {}, operation {} `{operation}`", event.task, event.operation), operation.word())
            }
            None => (format!("task {}", event.task), ""),
        }
    }
}
