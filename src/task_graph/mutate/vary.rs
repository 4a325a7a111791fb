//! Edits that add, change, swap and supply.

use super::{any, any_operation, callable, is_free};
use crate::model::schedule::Injection;
use crate::task_graph::call::{Body, Call, Pair, System};
use crate::task_graph::generate::Decisions;
use crate::task_graph::validate::{MAX_CAPACITY, MAX_COUNT};
use crate::task_graph::{AccessChecks, Affinity, EventReset, Operation, ResultKind, TaskGraph};

/// Constants, agents and microseconds of sleep that are drawn: below.
const VALUES: u32 = 1000;
const AGENTS: u32 = 4;
const SLEEP: u32 = 60;
/// Microseconds after which no lease of an execution is stale.
const NEVER_STALE: u32 = 1_000_000_000;
/// Codes of `Throw`: below.
const THROW_CODES: u32 = 100;
/// Operations that a lock is put around: at most.
const MAX_HELD: usize = 4;
/// Tasks that a new lock is put in.
const CONTENDERS: u32 = 3;

/// Adds an operation that concerns its task alone.
pub(super) fn add(graph: &mut TaskGraph, random: &mut impl Decisions) -> bool {
    let operation = match random.below(4) {
        0 => Operation::Compute(random.below(VALUES).into()),
        1 => Operation::Yield,
        2 => Operation::Sleep(random.below(SLEEP)),
        _ => Operation::Hop(affinity(random)),
    };
    insert(graph, random, vec![operation]);
    true
}

/// Adds a call on a system, or a branch; a new object if there is none to call on, or now and then.
pub(super) fn add_call(graph: &mut TaskGraph, random: &mut impl Decisions) -> bool {
    let system = [System::Processor, System::Engine, System::Registry, System::Lease][random.below(4) as usize];
    add_call_on(graph, system, random);
    true
}

pub(super) fn add_call_on(graph: &mut TaskGraph, system: System, random: &mut impl Decisions) {
    let id = match any(&callable(graph, system), random) {
        Some(id) if !random.chance(1, 16) => id,
        _ => new_object(graph, system),
    };
    let mut operations: Vec<Operation> = match system {
        System::Processor => vec![Call::Resume(id, body(random))],
        System::Engine => {
            let begin = if random.chance(1, 2) { Call::BeginBranch(id) } else { Call::NestBranch };
            let put = Call::PutContext(i64::from(random.below(VALUES)) + 1);
            vec![begin, Call::GetContext, put, Call::GetContext, Call::EndBranch]
        }
        System::Registry => vec![arc(id, random)],
        System::Lease => vec![lease(id, random)],
    }
    .into_iter()
    .map(Operation::Call)
    .collect();
    // Calls of one kind meet best where several tasks make them.
    if random.chance(1, 2) {
        insert(graph, random, operations.clone());
        if let [Operation::Call(call)] = &mut operations[..] {
            change_call(call, random);
        }
    }
    insert(graph, random, operations);
}

fn new_object(graph: &mut TaskGraph, system: System) -> u32 {
    let objects = &mut graph.objects;
    let id = objects.count(system) as u32;
    match system {
        System::Processor => objects.processors.push(AccessChecks::On),
        System::Engine => objects.engines += 1,
        System::Registry => objects.registries += 1,
        System::Lease => objects.leases += 1,
    }
    id
}

/// Puts a lock around operations that do not wait, in a few tasks: one that is only ever held so, or a new one.
pub(super) fn add_lock(graph: &mut TaskGraph, random: &mut impl Decisions) -> bool {
    let leaves: Vec<u32> = (0..graph.objects.mutexes).filter(|&mutex| is_leaf(graph, mutex)).collect();
    let mutex = any(&leaves, random).filter(|_| random.chance(1, 2)).unwrap_or_else(|| {
        graph.objects.mutexes += 1;
        graph.objects.mutexes - 1
    });
    for _ in 0..random.between(1, CONTENDERS) {
        let task = random.below(graph.tasks.len() as u32) as usize;
        let first = random.below(graph.tasks[task].operations.len() as u32 + 1) as usize;
        let rest = &graph.tasks[task].operations[first..];
        let longest = rest.iter().take(MAX_HELD).take_while(|operation| is_free(graph, operation)).count();
        let count = random.below(longest as u32 + 1) as usize;
        if is_held(&graph.tasks[task].operations[..first], mutex) {
            continue;
        }
        let operations = &mut graph.tasks[task].operations;
        operations.insert(first + count, Operation::Unlock(mutex));
        operations.insert(first, Operation::Lock(mutex));
    }
    true
}

fn is_held(before: &[Operation], mutex: u32) -> bool {
    let last = before
        .iter()
        .rev()
        .find(|operation| matches!(operation, Operation::Lock(id) | Operation::Unlock(id) if *id == mutex));
    matches!(last, Some(Operation::Lock(_)))
}

/// Whether whoever holds a mutex goes on without waiting for anybody.
fn is_leaf(graph: &TaskGraph, mutex: u32) -> bool {
    graph.tasks.iter().all(|task| {
        let mut held = false;
        task.operations.iter().all(|operation| {
            match operation {
                Operation::Lock(id) if *id == mutex => held = true,
                Operation::Unlock(id) if *id == mutex => held = false,
                _ => return !held || is_free(graph, operation) || !operation.suspends(),
            }
            true
        })
    })
}

/// Changes one thing about an operation or a task.
pub(super) fn change(graph: &mut TaskGraph, random: &mut impl Decisions) -> bool {
    if random.chance(1, 6) {
        let task = random.below(graph.tasks.len() as u32) as usize;
        if task > 0 && random.chance(1, 2) {
            graph.tasks[task].affinity = affinity(random);
        } else {
            graph.tasks[task].result =
                [ResultKind::Int, ResultKind::Unique, ResultKind::Void][random.below(3) as usize];
        }
        return true;
    }
    let changes = |operation: &Operation| {
        use Operation::{Await, Call, Compute, Hop, Join, Sleep, Throw, WhenAll, WhenAny};
        matches!(
            operation,
            Await(_) | Call(_) | Compute(_) | Hop(_) | Join(_) | Sleep(_) | Throw(_) | WhenAll(_) | WhenAny(_)
        )
    };
    let Some((task, index)) = any_operation(graph, random, changes) else { return false };
    // A call may go to any other object of its kind that looks after itself.
    let open = match &graph.tasks[task].operations[index] {
        Operation::Call(call) => match call.object() {
            Some((system, id)) => {
                let open = callable(graph, system);
                if open.contains(&id) { open } else { vec![id] }
            }
            None => vec![],
        },
        _ => vec![],
    };
    match &mut graph.tasks[task].operations[index] {
        Operation::Compute(value) => *value = random.below(VALUES).into(),
        Operation::Sleep(time) => *time = random.below(SLEEP),
        Operation::Throw(code) => *code = random.below(THROW_CODES),
        Operation::Hop(to) => *to = affinity(random),
        Operation::WhenAll(children) | Operation::WhenAny(children) => {
            let (left, right) = (random.below(children.len() as u32), random.below(children.len() as u32));
            children.swap(left as usize, right as usize);
        }
        Operation::Call(call) => {
            let other = any(&open, random).filter(|_| random.chance(1, 3));
            match (call.object_mut(), other) {
                (Some(id), Some(other)) => *id = other,
                _ => change_call(call, random),
            }
        }
        // Failures end here, and the handle is given up: both leave less to wait for.
        operation @ Operation::Await(_) | operation @ Operation::Join(_) => {
            *operation = match *operation {
                Operation::Await(child) => Operation::AwaitCatch(child),
                Operation::Join(child) => Operation::Detach(child),
                _ => return false,
            }
        }
        _ => return false,
    }
    true
}

/// Another call on the same object.
fn change_call(call: &mut Call, random: &mut impl Decisions) {
    *call = match *call {
        Call::Resume(id, _) => Call::Resume(id, body(random)),
        Call::PutContext(_) => Call::PutContext(i64::from(random.below(VALUES)) + 1),
        Call::BeginBranch(_) | Call::NestBranch | Call::EndBranch | Call::GetContext => return,
        _ => match call.object() {
            Some((System::Registry, id)) => arc(id, random),
            Some((System::Lease, id)) => lease(id, random),
            _ => return,
        },
    };
}

/// Swaps two neighbours that nobody waits for, or moves one of them far.
pub(super) fn swap(graph: &mut TaskGraph, random: &mut impl Decisions) -> bool {
    let Some((task, index)) = any_operation(graph, random, |operation| is_free(graph, operation)) else {
        return false;
    };
    if random.chance(1, 2) {
        let operation = graph.tasks[task].operations.remove(index);
        insert(graph, random, vec![operation]);
        return true;
    }
    let next = graph.tasks[task].operations.get(index + 1).is_some_and(|next| is_free(graph, next));
    if next {
        graph.tasks[task].operations.swap(index, index + 1);
    }
    next
}

/// Adds to what tasks wait for.
pub(super) fn supply(graph: &mut TaskGraph, random: &mut impl Decisions) -> bool {
    let objects = &mut graph.objects;
    let ids = |count: usize| (0..count as u32).collect::<Vec<_>>();
    match random.below(4) {
        0 => {
            let id = any(&ids(objects.semaphores.len()), random);
            id.map(|id| objects.semaphores[id as usize] = (objects.semaphores[id as usize] + 1).min(MAX_COUNT))
        }
        1 => {
            let id = any(&ids(objects.channels.len()), random);
            id.map(|id| objects.channels[id as usize] = (objects.channels[id as usize] + 1).min(MAX_CAPACITY))
        }
        2 => {
            let id = any(&ids(objects.semaphores.len()), random);
            id.map(|id| insert(graph, random, vec![Operation::Release(id)]))
        }
        _ => {
            // Not those that reset themselves, of which two sets can count as one.
            let manual = |id: &u32| objects.events[*id as usize] == EventReset::Manual;
            let events: Vec<u32> = ids(objects.events.len()).into_iter().filter(manual).collect();
            any(&events, random).map(|id| insert(graph, random, vec![Operation::SetEvent(id)]))
        }
    }
    .is_some()
}

/// Lets something more, or less, go wrong.
pub(super) fn inject(graph: &mut TaskGraph, random: &mut impl Decisions) -> bool {
    let injections = &mut graph.injections;
    let injection = Injection::OF_OPERATIONS[random.below(Injection::OF_OPERATIONS.len() as u32) as usize];
    injections.set(injection, !injections.allow(injection));
    true
}

/// Inserts operations in a row anywhere.
fn insert(graph: &mut TaskGraph, random: &mut impl Decisions, row: Vec<Operation>) {
    let task = random.below(graph.tasks.len() as u32) as usize;
    let operations = &mut graph.tasks[task].operations;
    let place = random.below(operations.len() as u32 + 1) as usize;
    operations.splice(place..place, row);
}

fn affinity(random: &mut impl Decisions) -> Affinity {
    if random.chance(1, 2) { Affinity::Worker } else { Affinity::Main }
}

fn body(random: &mut impl Decisions) -> Body {
    [Body::Plain, Body::Nested, Body::Throwing, Body::HandingOver][random.weighted(&[4, 4, 2, 1])]
}

fn arc(id: u32, random: &mut impl Decisions) -> Call {
    let pair = Pair { a: random.below(2), b: random.below(2) + 1 };
    match random.weighted(&[6, 2, 3, 2, 2, 1, 2]) {
        0 => Call::StartArc(id, pair),
        1 => Call::ProgressArc(id, pair),
        2 => Call::CompleteArc(id, pair),
        3 => Call::CancelArc(id, pair),
        4 => Call::ArcStatus(id, pair),
        5 => Call::ActiveArcs(id),
        _ => Call::ProcessArcs(id),
    }
}

fn lease(id: u32, random: &mut impl Decisions) -> Call {
    let agent = random.below(AGENTS);
    match random.weighted(&[5, 4, 2, 1, 2]) {
        0 => Call::AcquireLease(id, agent),
        1 => Call::RefreshLease(id, agent),
        2 => Call::ReleaseLease(id, agent),
        3 => Call::LeaseHolder(id),
        _ => Call::CleanupStale(id, if random.chance(3, 4) { 0 } else { NEVER_STALE }),
    }
}
