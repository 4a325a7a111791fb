//! The reference scheduler: runs a program on real threads that steal work from one another, in safe Rust.
//!
//! A task is a state machine, its `Frame`. Frames are moved, never shared: one is either in
//! a ready queue, in the hands of the thread that runs it, with the timers, or with what its task waits for.
//! So the type system rules out that a task is resumed twice, or that two threads are inside it at once.
#![forbid(unsafe_code)]

mod family;
mod frame;
mod log;
mod objects;
mod ready;
mod runner;
mod systems;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::execution::{Event, ThreadId};
use crate::program::Program;
use family::Family;
use log::Log;
use objects::Objects;
use ready::{EndOnDrop, Ready};
use runner::Runner;
use systems::Systems;

/// The thread that calls [`run`].
const MAIN: ThreadId = 0;

/// Runs the program on the calling thread, which is its main thread, and `threads - 1` workers, and gives
/// all that happened, in order. The times of `Sleep` are real microseconds since the run began.
///
/// The run is over when task 0 is. Tasks that are pending then do not run on; their frames are freed at the
/// end of the log. A program in which every task waits for ever is ended in the same way: its log has no
/// end of task 0.
///
/// # Panics
/// If `threads` is 0, if a thread cannot be made, or if the program is not
/// [valid](crate::program::validate).
#[must_use]
pub fn run(program: &Program, threads: u16) -> Vec<Event> {
    assert!(threads > 0, "a program needs at least 1 thread to run on, not 0");
    let (ready, queues) = Ready::new(threads);
    let run = Run {
        program,
        ready,
        log: Log::default(),
        systems: Systems::new(&program.objects),
        shared: Mutex::new(Shared { family: Family::new(program), objects: Objects::new(&program.objects) }),
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
    run.log.finish(program.tasks.len())
}

/// What the threads of a run share.
struct Run<'a> {
    program: &'a Program,
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
