//! The reference scheduler: runs a task graph on real threads that steal work from one another, in safe Rust.
//!
//! A task is a state machine, its `Frame`. Frames are moved, never shared: one is either in
//! a ready queue, in the hands of the thread that runs it, with the timers, or with what its task waits for.
//! So the type system rules out that a task is resumed twice, or that two threads are inside it at once.
//!
//! No campaign runs it. Tests compare it with the model, which knows no threads, so that what the oracles expect of a task
//! graph was found in two ways; and the oracles must find nothing wrong with what it does.

mod family;
mod frame;
mod log;
mod objects;
mod ready;
mod runner;
mod systems;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::model::execution::{Event, ThreadId};
use crate::task_graph::TaskGraph;
use family::Family;
use log::Log;
use objects::Objects;
use ready::{EndOnDrop, Ready};
use runner::Runner;
use systems::Systems;

/// The thread that calls [`run`].
const MAIN: ThreadId = 0;

/// Runs the task graph on the calling thread, which is its main thread, and `threads - 1` workers, and gives
/// all that happened, in order. The times of `Sleep` are real microseconds since the run began.
///
/// The run is over when task 0 is. Tasks that are pending then do not run on; their frames are freed at the
/// end of the log. A task graph in which every task waits for ever is ended in the same way: its log has no
/// end of task 0.
///
/// # Panics
/// If `threads` is 0, if a thread cannot be made, or if the task graph is not
/// [valid](crate::task_graph::validate).
#[must_use]
pub fn run(graph: &TaskGraph, threads: u16) -> Vec<Event> {
    assert!(threads > 0, "a task graph needs at least 1 thread to run on, not 0");
    let (ready, queues) = Ready::new(threads);
    let run = Run {
        graph,
        ready,
        log: Log::default(),
        systems: Systems::new(&graph.objects),
        shared: Mutex::new(Shared { family: Family::new(graph), objects: Objects::new(&graph.objects) }),
    };
    thread::scope(|scope| {
        // The scope waits for the workers that there are, also when one more cannot be made.
        let _end = EndOnDrop(&run.ready);
        let mut runners = (MAIN..).zip(queues).map(|(thread, queue)| Runner::new(&run, thread, queue));
        let main = runners.next().expect("there is a queue for each of the threads, at least 1");
        main.begin(0);
        for worker in runners {
            scope.spawn(move || worker.work());
        }
        main.work();
    });
    run.log.finish(graph.tasks.len())
}

/// What the threads of a run share.
struct Run<'a> {
    graph: &'a TaskGraph,
    ready: Ready,
    log: Log,
    systems: Systems,
    shared: Mutex<Shared>,
}

/// What tasks do to one another, but for waking.
struct Shared {
    family: Family,
    objects: Objects,
}

/// Locks even after a panic elsewhere, which ends the run anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
