//! Edits that leave something out.

use super::{any, any_operation, has_guards, is_free};
use crate::task_graph::call::Call;
use crate::task_graph::generate::Decisions;
use crate::task_graph::{Operation, TaskGraph, TaskId};

/// Drops an operation that nobody waits for, with what belongs to it.
pub(super) fn operation(graph: &mut TaskGraph, random: &mut impl Decisions) -> bool {
    let place = any_operation(graph, random, |operation| {
        is_free(graph, operation)
            || matches!(
                operation,
                Operation::WaitEvent(_)
                    | Operation::LatchWait(_)
                    | Operation::BarrierWait(_)
                    | Operation::Acquire(_)
                    | Operation::ResetEvent(_)
                    | Operation::CheckCancel
                    | Operation::Cancel(_)
                    | Operation::Join(_)
                    | Operation::Detach(_)
                    | Operation::Throw(_)
                    | Operation::Lock(_)
                    | Operation::Call(Call::BeginBranch(_) | Call::NestBranch)
            )
    });
    let Some((task, index)) = place else { return false };
    let guards = has_guards(graph);
    let operations = &mut graph.tasks[task].operations;
    let rest = &operations[index + 1..];
    match operations[index] {
        // What would come after it was never counted on, nor does it wait.
        Operation::Throw(_) if !rest.is_empty() => return false,
        Operation::Lock(_) if guards => return false,
        // Who does not wait for a phase must not arrive at the next one.
        Operation::BarrierWait(id) if rest.contains(&Operation::BarrierArrive(id)) => return false,
        Operation::Lock(id) => {
            if let Some(unlock) = rest.iter().position(|other| *other == Operation::Unlock(id)) {
                operations.remove(index + 1 + unlock);
            }
        }
        Operation::Call(Call::BeginBranch(_) | Call::NestBranch) => {
            let mut depth = 1;
            let end = rest.iter().position(|other| {
                depth += match other {
                    Operation::Call(Call::BeginBranch(_) | Call::NestBranch) => 1,
                    Operation::Call(Call::EndBranch) => -1,
                    _ => 0,
                };
                depth == 0
            });
            // What looks at the branch would look at another one, or none; then the task graph is not valid.
            if let Some(end) = end {
                operations.drain(index..=index + 1 + end);
                return true;
            }
        }
        _ => {}
    }
    operations.remove(index);
    true
}

/// The number of the object of one kind that an operation is on.
type ObjectOf = fn(&Operation) -> Option<u32>;

/// Drops every operation on one object that tasks wait for.
pub(super) fn object(graph: &mut TaskGraph, random: &mut impl Decisions) -> bool {
    let objects = &graph.objects;
    let count = |count: usize| 0..count as u32;
    let mut all: Vec<(ObjectOf, u32)> = vec![];
    if !has_guards(graph) {
        all.extend(count(objects.mutexes as usize).map(|id| (mutex as _, id)));
    }
    all.extend(count(objects.semaphores.len()).map(|id| (semaphore as _, id)));
    all.extend(count(objects.events.len()).map(|id| (event as _, id)));
    all.extend(count(objects.latches.len()).map(|id| (latch as _, id)));
    all.extend(count(objects.barriers.len()).map(|id| (barrier as _, id)));
    all.extend(count(objects.channels.len()).map(|id| (channel as _, id)));
    let Some((of, id)) = any(&all, random) else { return false };
    for task in &mut graph.tasks {
        task.operations.retain(|operation| of(operation) != Some(id));
    }
    true
}

fn mutex(operation: &Operation) -> Option<u32> {
    if let Operation::Lock(id) | Operation::Unlock(id) = *operation { Some(id) } else { None }
}

fn semaphore(operation: &Operation) -> Option<u32> {
    if let Operation::Acquire(id) | Operation::Release(id) = *operation { Some(id) } else { None }
}

fn event(operation: &Operation) -> Option<u32> {
    match *operation {
        Operation::SetEvent(id) | Operation::ResetEvent(id) | Operation::WaitEvent(id) => Some(id),
        _ => None,
    }
}

fn latch(operation: &Operation) -> Option<u32> {
    if let Operation::LatchArrive(id) | Operation::LatchWait(id) = *operation { Some(id) } else { None }
}

fn barrier(operation: &Operation) -> Option<u32> {
    if let Operation::BarrierArrive(id) | Operation::BarrierWait(id) = *operation { Some(id) } else { None }
}

fn channel(operation: &Operation) -> Option<u32> {
    match *operation {
        Operation::Send(id, _) | Operation::Receive(id) | Operation::Close(id) => Some(id),
        _ => None,
    }
}

/// Drops a task that begins no other and that nobody waits for but whoever began it.
pub(super) fn task(graph: &mut TaskGraph, random: &mut impl Decisions) -> bool {
    let lone = |operation: &Operation| {
        operation.begins().is_empty()
            && !matches!(
                operation,
                Operation::Release(_)
                    | Operation::SetEvent(_)
                    | Operation::LatchArrive(_)
                    | Operation::BarrierArrive(_)
                    | Operation::Send(..)
                    | Operation::Receive(_)
                    | Operation::Close(_)
            )
    };
    let tasks = graph.tasks.iter().zip(0..).skip(1);
    let lone: Vec<TaskId> =
        tasks.filter(|(task, _)| task.operations.iter().all(lone)).map(|(_, id): (_, TaskId)| id).collect();
    let Some(gone) = any(&lone, random) else { return false };
    for task in &mut graph.tasks {
        task.operations.retain_mut(|operation| match operation {
            Operation::WhenAll(children) | Operation::WhenAny(children) => {
                children.retain(|child| *child != gone);
                !children.is_empty()
            }
            Operation::Await(child)
            | Operation::AwaitCatch(child)
            | Operation::Start(child)
            | Operation::Join(child)
            | Operation::Detach(child)
            | Operation::Cancel(child) => *child != gone,
            _ => true,
        });
    }
    true
}
