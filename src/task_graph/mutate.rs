//! Task graphs that differ a little from a given one, for a fuzzer that evolves them.
//!
//! Every edit leaves a task graph valid, and unable to get stuck if it was so before; that is what makes a stop a
//! finding. So nothing is added that waits or fails but in a [`graft`], whose tasks wait for one another only, and
//! what others may wait for leaves a task graph only with all that waits for it:
//!
//! - what neither waits nor fails (constants, yields, sleeps, hops, calls on systems) comes, goes and moves freely;
//! - a mutex that tasks hold only over such operations comes last in every order of locks, so it may be taken
//!   wherever the task does not hold it;
//! - fewer waits, fewer failures and more supply let nobody wait who did not.
//!
//! Tests try the outcome in the model, as they do generated task graphs.

mod drop;
mod graft;
mod vary;

use super::call::{Call, System};
use super::compact::compact;
use super::generate::Decisions;
use super::validate::validate;
use super::{AccessChecks, Operation, TaskGraph};

/// Tasks and operations of a task graph that still grows: at most.
const MAX_TASKS: usize = 24;
const MAX_OPERATIONS: usize = 160;
/// How often an edit that cannot be made is drawn again.
const ATTEMPTS: u32 = 8;

/// A task graph that one edit makes of this one; now and then the same, where no edit that is drawn can be made.
#[must_use]
pub fn mutate(graph: &TaskGraph, random: &mut impl Decisions) -> TaskGraph {
    for _ in 0..ATTEMPTS {
        let mut edited = graph.clone();
        if edit(&mut edited, random) {
            let edited = compact(edited);
            // An edit need not look at branches and bounds, since this does.
            if edited != *graph && validate(&edited).is_ok() {
                return edited;
            }
        }
    }
    graph.clone()
}

/// Changes what a task graph does with files, or what may go wrong with them.
pub fn mutate_files(graph: &mut TaskGraph, random: &mut impl Decisions) {
    let mut edited = graph.clone();
    if random.chance(1, 4) {
        vary::inject(&mut edited, random);
    } else {
        vary::add_call_on(&mut edited, System::Lease, random);
    }
    if edited.operation_count() <= MAX_OPERATIONS && validate(&edited).is_ok() {
        *graph = edited;
    }
}

/// Makes an edit; false if there is nothing that it could be made to.
fn edit(graph: &mut TaskGraph, random: &mut impl Decisions) -> bool {
    let grows = graph.tasks.len() < MAX_TASKS && graph.operation_count() < MAX_OPERATIONS;
    match random.weighted(&[4, 3, 2, 3, 2, 1, 1, 4, 2, 1, 1]) {
        0 if grows => vary::add(graph, random),
        1 if grows => vary::add_call(graph, random),
        2 if grows => vary::add_lock(graph, random),
        3 if grows => graft::grow(graph, random),
        0..=4 => drop::operation(graph, random),
        5 => drop::object(graph, random),
        6 => drop::task(graph, random),
        7 => vary::change(graph, random),
        8 => vary::swap(graph, random),
        9 => vary::supply(graph, random),
        _ => vary::inject(graph, random),
    }
}

/// The place of a random operation that fits.
fn any_operation(
    graph: &TaskGraph,
    random: &mut impl Decisions,
    fits: impl Fn(&Operation) -> bool,
) -> Option<(usize, usize)> {
    let operations = graph.tasks.iter().enumerate().flat_map(|(task, each)| {
        let fitting = each.operations.iter().enumerate().filter(|(_, operation)| fits(operation));
        fitting.map(move |(index, _)| (task, index))
    });
    any(&operations.collect::<Vec<_>>(), random)
}

fn any<T: Copy>(all: &[T], random: &mut impl Decisions) -> Option<T> {
    if all.is_empty() { None } else { Some(all[random.below(all.len() as u32) as usize]) }
}

/// Whether an operation neither waits for others, nor fails, nor is waited for, nor must stand where it stands.
fn is_free(graph: &TaskGraph, operation: &Operation) -> bool {
    match operation {
        Operation::Compute(_) | Operation::Yield | Operation::Sleep(_) | Operation::Hop(_) => true,
        Operation::Call(call) => match *call {
            // A mutex keeps others out.
            Call::Resume(id, _) => graph.objects.processors[id as usize] == AccessChecks::On,
            Call::BeginBranch(_) | Call::NestBranch | Call::EndBranch => false,
            _ => true,
        },
        _ => false,
    }
}

/// Whether a mutex keeps others out of something that does not look after itself.
fn has_guards(graph: &TaskGraph) -> bool {
    graph.objects.processors.contains(&AccessChecks::Off)
}

/// The objects of a system that calls may be made on at any place.
fn callable(graph: &TaskGraph, system: System) -> Vec<u32> {
    let all = 0..graph.objects.count(system) as u32;
    let is_open = |id: &u32| system != System::Processor || graph.objects.processors[*id as usize] == AccessChecks::On;
    all.filter(is_open).collect()
}
