//! The reference's scheduler: runs programs on real threads that steal work from one another, all safe Rust.
//!
//! A task is a state machine. Whoever runs it holds the lock of its body until it suspends, so that a task
//! woken before it has quite suspended is merely waited for. Tasks of worker affinity go to the queue of
//! the thread that wakes them, from which any thread may steal; tasks of main affinity go to a queue that only
//! the main thread takes from. What it records is what a subject records.

mod body;
mod objects;
mod queues;

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::Mutex;
use std::time::Instant;

use body::Body;
use objects::{Objects, Woken, locked};
use queues::{Queues, Seat};

use crate::execution::{Event, EventKind, ThreadId};
use crate::program::{Affinity, Begun, Outcome, Program, TaskId, Tree};

/// Threads of a run: at most.
pub const MAX_THREADS: u16 = 16;
/// No child has won yet.
const NOBODY: u32 = u32::MAX;

/// Runs a valid program to the end of its root and shuts down; what happened.
///
/// # Panics
/// If `threads` is not 1 to [`MAX_THREADS`].
#[must_use]
pub fn run(program: &Program, threads: u16) -> Vec<Event> {
    assert!((1..=MAX_THREADS).contains(&threads), "{threads} threads, where 1 to {MAX_THREADS} are supported");
    let (queues, seats) = Queues::new(threads);
    let run = Run {
        program,
        tree: Tree::of(program),
        objects: Objects::new(&program.objects),
        slots: program.tasks.iter().map(Slot::new).collect(),
        queues,
        log: Mutex::new(vec![]),
        start: Instant::now(),
    };
    let mut seats = seats.into_iter();
    let main = seats.next();
    std::thread::scope(|scope| {
        for seat in seats {
            let run = &run;
            scope.spawn(move || run.serve(&seat));
        }
        if let Some(main) = main {
            run.make(0, &main);
            run.queues.push(0, Affinity::Main, &main);
            run.serve(&main);
        }
    });
    run.shut_down();
    run.log.into_inner().unwrap_or_default()
}

/// A program under way.
struct Run<'a> {
    program: &'a Program,
    tree: Tree,
    objects: Objects,
    slots: Vec<Slot>,
    queues: Queues,
    log: Mutex<Vec<Event>>,
    start: Instant,
}

/// A task: what its runner owns, and what others reach.
struct Slot {
    body: Mutex<Body>,
    /// Where it runs next. Written by its runner before it can be woken.
    on_main: AtomicBool,
    /// What the call that it waits in returns.
    mail: AtomicI64,
    /// Children of the current operation that have not ended.
    pending: AtomicU32,
    /// The position of the child that won the current `WhenAny`.
    winner: AtomicU32,
    /// A stop was asked for.
    stop: AtomicBool,
    end: Mutex<End>,
}

#[derive(Default)]
struct End {
    outcome: Option<Outcome>,
    /// Who joined before the end.
    joiner: Option<TaskId>,
}

impl Slot {
    fn new(task: &crate::program::Task) -> Self {
        Self {
            body: Mutex::new(Body::new()),
            on_main: AtomicBool::new(task.affinity == Affinity::Main),
            mail: AtomicI64::new(0),
            pending: AtomicU32::new(0),
            winner: AtomicU32::new(NOBODY),
            stop: AtomicBool::new(false),
            end: Mutex::new(End::default()),
        }
    }
}

impl Run<'_> {
    /// What a thread does until the root has ended.
    fn serve(&self, seat: &Seat) {
        while let Some(task) = self.queues.next(seat) {
            self.advance(task, seat);
        }
    }

    /// Makes the frame of a task.
    fn make(&self, task: TaskId, seat: &Seat) {
        locked(&self.slots[task as usize].body).make();
        self.record(seat.thread, task, 0, EventKind::FrameMade, 0);
    }

    /// Lets a task go on where it is.
    fn wake(&self, task: TaskId, seat: &Seat) {
        // Ordering: the queue hands on what was written before; Relaxed is enough for the flag itself,
        // since it is only written by the runner, who wrote it before the task could be woken.
        let main = self.slots[task as usize].on_main.load(Ordering::Relaxed);
        self.queues.push(task, if main { Affinity::Main } else { Affinity::Worker }, seat);
    }

    fn deliver(&self, woken: &mut Woken, seat: &Seat) {
        for (task, value) in woken.drain(..) {
            self.slots[task as usize].mail.store(value, Ordering::Relaxed);
            self.wake(task, seat);
        }
    }

    /// Lets those who wait for the task see its outcome.
    fn complete(&self, task: TaskId, outcome: Outcome, seat: &Seat) {
        let joiner = {
            let mut end = locked(&self.slots[task as usize].end);
            end.outcome = Some(outcome);
            end.joiner.take()
        };
        match self.tree.begun(task) {
            Begun::Root => self.queues.close(),
            Begun::Started => {
                if let Some(joiner) = joiner {
                    self.wake(joiner, seat);
                }
            }
            begun @ (Begun::Awaited | Begun::Raced) => {
                let parent = self.tree.parent(task);
                let slot = &self.slots[parent as usize];
                if begun == Begun::Raced {
                    self.win(parent, task);
                }
                // Ordering: AcqRel, so that the last to end has seen what the others wrote.
                if slot.pending.fetch_sub(1, Ordering::AcqRel) == 1 {
                    self.wake(parent, seat);
                }
            }
        }
    }

    /// The first child of a `WhenAny` to come here wins; the others are asked to stop.
    fn win(&self, parent: TaskId, task: TaskId) {
        let operation = usize::from(self.tree.operation(task));
        let group = self.program.tasks[parent as usize].operations[operation].begins();
        let position = group.iter().position(|&child| child == task).map_or(NOBODY, |position| position as u32);
        let winner = &self.slots[parent as usize].winner;
        if winner.compare_exchange(NOBODY, position, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            for &child in group {
                self.slots[child as usize].stop.store(true, Ordering::Release);
            }
        }
    }

    /// Whether a stop that the task can see was asked for.
    fn stopped(&self, task: TaskId) -> bool {
        let mut task = task;
        loop {
            if self.slots[task as usize].stop.load(Ordering::Acquire) {
                return true;
            }
            if matches!(self.tree.begun(task), Begun::Root | Begun::Started) {
                return false;
            }
            task = self.tree.parent(task);
        }
    }

    /// Destroys what is left once all threads are gone.
    fn shut_down(&self) {
        for (slot, task) in self.slots.iter().zip(0..) {
            if locked(&slot.body).destroy() {
                self.record(0, task, 0, EventKind::FrameFreed, 0);
            }
        }
    }

    fn record(&self, thread: ThreadId, task: TaskId, operation: u16, kind: EventKind, value: i64) {
        locked(&self.log).push(Event { value, task, operation, thread, kind });
    }

    /// Microseconds since the start.
    fn now(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}
