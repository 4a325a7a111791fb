//! One task graph beside another, under one root.

use super::any;
use crate::task_graph::call::{Call, System};
use crate::task_graph::compact::tasks_of;
use crate::task_graph::generate::{Decisions, Shape, generate};
use crate::task_graph::{AccessChecks, Affinity, Objects, Operation, TaskGraph};

/// Tasks of what a task graph grows by: at most.
const MAX_GROWTH: u32 = 4;

/// Grafts a small generated task graph.
pub(super) fn grow(graph: &mut TaskGraph, random: &mut impl Decisions) -> bool {
    let size = random.between(1, MAX_GROWTH);
    let mut scion = generate(random, Shape::of_size(size));
    scion.injections = graph.injections;
    graft(graph, scion, random);
    true
}

/// Makes the root of `scion` a child of the root of `graph`, with objects of its own: but for systems, on which
/// both may call. What may go wrong in either may go wrong in both.
///
/// The root of `graph` neither waits for it, nor fails with it, nor asks it to stop, so neither can keep the other
/// from going on.
fn graft(graph: &mut TaskGraph, mut scion: TaskGraph, random: &mut impl Decisions) {
    let first = graph.tasks.len() as u32;
    let mut names = Names::draw(&mut graph.objects, scion.objects, random);
    for operation in scion.tasks.iter_mut().flat_map(|task| &mut task.operations) {
        for task in tasks_of(operation) {
            *task += first;
        }
        names.rename(operation);
    }
    if random.chance(1, 2) {
        scion.tasks[0].affinity = Affinity::Worker;
    }
    graph.tasks.append(&mut scion.tasks);
    let root = &mut graph.tasks[0].operations;
    // Where it is not valid, the root is in a branch.
    let places: Vec<usize> = (0..=root.len()).filter(|&place| !in_branch(&root[..place])).collect();
    let place = any(&places, random).unwrap_or(0);
    root.insert(place, if random.chance(2, 3) { Operation::Start(first) } else { Operation::AwaitCatch(first) });
    graph.injections.include(scion.injections);
}

fn in_branch(before: &[Operation]) -> bool {
    let begun = |operation: &&Operation| matches!(operation, Operation::Call(Call::BeginBranch(_) | Call::NestBranch));
    let ended = |operation: &&Operation| matches!(operation, Operation::Call(Call::EndBranch));
    before.iter().filter(begun).count() > before.iter().filter(ended).count()
}

/// The new indices of the scion's objects.
struct Names {
    mutexes: u32,
    semaphores: u32,
    events: u32,
    latches: u32,
    barriers: u32,
    channels: u32,
    processors: Vec<u32>,
    engines: Vec<u32>,
    registries: Vec<u32>,
    leases: Vec<u32>,
}

impl Names {
    fn draw(ours: &mut Objects, theirs: Objects, random: &mut impl Decisions) -> Self {
        let mut names = Self {
            mutexes: ours.mutexes,
            semaphores: ours.semaphores.len() as u32,
            events: ours.events.len() as u32,
            latches: ours.latches.len() as u32,
            barriers: ours.barriers.len() as u32,
            channels: ours.channels.len() as u32,
            processors: vec![],
            engines: shared(&mut ours.engines, theirs.engines, random),
            registries: shared(&mut ours.registries, theirs.registries, random),
            leases: shared(&mut ours.leases, theirs.leases, random),
        };
        for checks in theirs.processors {
            let known = ours.processors.iter().position(|&own| own == AccessChecks::On);
            // One that does not check is kept by a mutex of its own task graph.
            let known = known.filter(|_| checks == AccessChecks::On && random.chance(3, 4));
            names.processors.push(known.unwrap_or(ours.processors.len()) as u32);
            if known.is_none() {
                ours.processors.push(checks);
            }
        }
        ours.mutexes += theirs.mutexes;
        ours.semaphores.extend(theirs.semaphores);
        ours.events.extend(theirs.events);
        ours.latches.extend(theirs.latches);
        ours.barriers.extend(theirs.barriers);
        ours.channels.extend(theirs.channels);
        names
    }

    fn rename(&mut self, operation: &mut Operation) {
        match operation {
            Operation::Lock(id) | Operation::Unlock(id) => *id += self.mutexes,
            Operation::Acquire(id) | Operation::Release(id) => *id += self.semaphores,
            Operation::SetEvent(id) | Operation::ResetEvent(id) | Operation::WaitEvent(id) => *id += self.events,
            Operation::LatchArrive(id) | Operation::LatchWait(id) => *id += self.latches,
            Operation::BarrierArrive(id) | Operation::BarrierWait(id) => *id += self.barriers,
            Operation::Send(id, _) | Operation::Receive(id) | Operation::Close(id) => *id += self.channels,
            Operation::Call(call) => {
                let names = match call.object() {
                    Some((System::Processor, _)) => &self.processors,
                    Some((System::Engine, _)) => &self.engines,
                    Some((System::Registry, _)) => &self.registries,
                    Some((System::Lease, _)) => &self.leases,
                    None => return,
                };
                if let Some(id) = call.object_mut() {
                    *id = names[*id as usize];
                }
            }
            _ => {}
        }
    }
}

/// The indices of so many more objects, of which most are those that are there.
fn shared(ours: &mut u32, theirs: u32, random: &mut impl Decisions) -> Vec<u32> {
    let there = *ours;
    let mut name = |_| {
        if there > 0 && random.chance(3, 4) {
            return random.below(there);
        }
        *ours += 1;
        *ours - 1
    };
    (0..theirs).map(&mut name).collect()
}
