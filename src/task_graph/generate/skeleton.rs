//! The first phase of generation: the task tree, with locks, and with holes for what comes later.

use std::collections::VecDeque;

use super::decisions::Decisions;
use super::draft::{Draft, DraftTask, Step, id};
use crate::task_graph::{Affinity, Objects, Operation, ResultKind, TaskId};

/// Steps of a task, besides holes and what stands inside a lock: at least and at most.
const STEPS: (u32, u32) = (1, 4);
/// Children of one `WhenAll` or `WhenAny`: at most.
const MAX_GROUP: u32 = 4;
/// Locks of one task graph: at most.
const MAX_LOCKS: u32 = 16;
/// Permits of a semaphore that is used as a lock: at most.
const MAX_PERMITS: u32 = 2;
/// How deep tasks nest: at most.
const MAX_DEPTH: u32 = 40;
/// Virtual microseconds that a task sleeps: at most. Without control they are real, so few.
const MAX_SLEEP: u32 = 60;
/// Task graphs in which tasks may fail: so many of so many.
const FAILING: (u32, u32) = (1, 8);
/// Codes of `Throw`: below.
const THROW_CODES: u32 = 100;
/// Constants of `Compute`: below.
const COMPUTE_VALUES: u32 = 1000;

/// What a stretch of operations may do, so that nothing holds a lock for ever.
#[derive(Clone, Copy)]
struct Bounds {
    /// Only locks from this one on.
    first_lock: u32,
    /// Nothing that waits, but for locks and quiet children.
    quiet: bool,
    /// Nothing that fails.
    sound: bool,
}

/// A lock: a mutex, or a semaphore that is acquired and released in pairs.
#[derive(Clone, Copy)]
enum Lock {
    Mutex(u32),
    Permit(u32),
}

/// A task whose steps are still to be drawn.
struct Blank {
    task: usize,
    depth: u32,
    bounds: Bounds,
}

/// The task being drawn.
struct Cursor {
    task: usize,
    depth: u32,
    affinity: Affinity,
    /// Started children whose handles the task still holds.
    handles: Vec<TaskId>,
}

struct Skeleton<'a, D> {
    source: &'a mut D,
    draft: Draft,
    locks: Vec<Lock>,
    blanks: VecDeque<Blank>,
    /// Tasks that may still be made.
    left: u32,
    /// Whether tasks of this task graph may fail. Most task graphs do without: a failure hides all that would
    /// have come after it, and unwinding costs more time than everything else. (That each task graph uses a
    /// part of the features only finds more: Groce et al., "Swarm Testing", ISSTA 2012.)
    failing: bool,
}

/// Draws the skeleton of a task graph of about `size` tasks.
pub(super) fn draw<D: Decisions>(source: &mut D, size: u32) -> Draft {
    let left = source.below(2 * size);
    let mut locks = vec![];
    let mut objects = Objects::default();
    for _ in 0..source.between(1, (1 + size / 4).min(MAX_LOCKS)) {
        if source.chance(1, 4) {
            locks.push(Lock::Permit(objects.semaphores.len() as u32));
            objects.semaphores.push(source.between(1, MAX_PERMITS));
        } else {
            locks.push(Lock::Mutex(objects.mutexes));
            objects.mutexes += 1;
        }
    }
    let failing = source.chance(FAILING.0, FAILING.1);
    let mut skeleton = Skeleton { source, draft: Draft::new(objects), locks, blanks: VecDeque::new(), left, failing };
    skeleton.draw();
    let mut draft = skeleton.draft;
    draft.find_sure();
    draft.lay_out();
    draft
}

impl<D: Decisions> Skeleton<'_, D> {
    fn draw(&mut self) {
        let free = Bounds { first_lock: 0, quiet: false, sound: false };
        let mut root = self.cursor(Affinity::Main, 0);
        let steps = self.source.between(STEPS.0, STEPS.1);
        for _ in 0..steps {
            self.hole(&root, free);
            self.step(&mut root, free);
        }
        loop {
            while let Some(blank) = self.next_blank() {
                self.fill(&blank);
            }
            if self.left == 0 {
                break;
            }
            self.hole(&root, free);
            self.begin(&mut root, free);
        }
        self.settle(&mut root, free);
        self.hole(&root, free);
    }

    fn next_blank(&mut self) -> Option<Blank> {
        // The newest makes the tree deep, the oldest makes it wide.
        if self.source.chance(1, 2) { self.blanks.pop_front() } else { self.blanks.pop_back() }
    }

    /// Draws the steps of a task.
    fn fill(&mut self, blank: &Blank) {
        let affinity = self.draft.tasks[blank.task].affinity;
        let mut cursor = Cursor { task: blank.task, depth: blank.depth, affinity, handles: vec![] };
        let bounds = blank.bounds;
        for _ in 0..self.source.between(STEPS.0, STEPS.1) {
            self.hole(&cursor, bounds);
            if !self.step(&mut cursor, bounds) {
                return;
            }
        }
        self.settle(&mut cursor, bounds);
        self.hole(&cursor, bounds);
        if self.failing && !bounds.sound && self.source.chance(1, 5) {
            let code = self.source.below(THROW_CODES);
            self.push(&cursor, Operation::Throw(code));
        }
    }

    /// Draws one step; false when it ends the task.
    fn step(&mut self, cursor: &mut Cursor, bounds: Bounds) -> bool {
        let free = !bounds.quiet && !bounds.sound;
        let begin = if self.left > 0 && cursor.depth < MAX_DEPTH { 11 } else { 0 };
        let lock = if bounds.first_lock < self.locks.len() as u32 { 4 } else { 0 };
        let handle = u32::from(!cursor.handles.is_empty());
        let join = if free { 3 * handle } else { 0 };
        let check = if self.failing && !bounds.sound { 2 } else { 0 };
        match self.source.weighted(&[3, begin, lock, 2, 2, 1, join, handle, 2 * handle, check]) {
            0 => {
                let value = self.source.below(COMPUTE_VALUES);
                self.push(cursor, Operation::Compute(i64::from(value)));
            }
            1 => self.begin(cursor, bounds),
            2 => return self.lock(cursor, bounds),
            3 => self.push(cursor, Operation::Yield),
            4 => {
                cursor.affinity = self.affinity();
                self.push(cursor, Operation::Hop(cursor.affinity));
            }
            5 => {
                let microseconds = self.source.below(MAX_SLEEP + 1);
                self.push(cursor, Operation::Sleep(microseconds));
            }
            6 => {
                let child = self.take_handle(cursor);
                self.push(cursor, Operation::Join(child));
            }
            7 => {
                let child = self.take_handle(cursor);
                self.push(cursor, Operation::Detach(child));
            }
            8 => {
                let index = self.source.below(cursor.handles.len() as u32) as usize;
                self.push(cursor, Operation::Cancel(cursor.handles[index]));
            }
            _ => self.push(cursor, Operation::CheckCancel),
        }
        true
    }

    /// Takes a lock, does something and gives it back; false when the task fails with the lock held.
    fn lock(&mut self, cursor: &mut Cursor, bounds: Bounds) -> bool {
        let count = self.locks.len() as u32;
        // Often the first one: locks that everybody takes are where contention is.
        let place = if self.source.chance(1, 2) {
            bounds.first_lock
        } else {
            self.source.between(bounds.first_lock, count - 1)
        };
        let lock = self.locks[place as usize];
        let permit = matches!(lock, Lock::Permit(_));
        let inside = Bounds { first_lock: place + 1, quiet: true, sound: bounds.sound || permit };
        self.push(
            cursor,
            match lock {
                Lock::Mutex(id) => Operation::Lock(id),
                Lock::Permit(id) => Operation::Acquire(id),
            },
        );
        for _ in 0..self.source.between(1, 2) {
            self.hole(cursor, inside);
            if !self.step(cursor, inside) {
                return false;
            }
        }
        if self.failing && !inside.sound && cursor.task != 0 && self.source.chance(1, 6) {
            let code = self.source.below(THROW_CODES);
            self.push(cursor, Operation::Throw(code));
            return false;
        }
        self.push(
            cursor,
            match lock {
                Lock::Mutex(id) => Operation::Unlock(id),
                Lock::Permit(id) => Operation::Release(id),
            },
        );
        true
    }

    /// Begins one child or a group of them.
    fn begin(&mut self, cursor: &mut Cursor, bounds: Bounds) {
        // A child that is waited for is bound as its parent is; whether it fails matters only uncaught.
        let waited = bounds;
        let caught = Bounds { sound: false, ..bounds };
        match self.source.weighted(&[5, 2, 3, 2, 5]) {
            0 => {
                let child = self.child(cursor, waited);
                self.push(cursor, Operation::Await(child));
            }
            1 => {
                let child = self.child(cursor, caught);
                self.push(cursor, Operation::AwaitCatch(child));
            }
            2 => {
                let children = self.group(cursor, waited);
                self.push(cursor, Operation::WhenAll(children));
            }
            3 => {
                let children = self.group(cursor, waited);
                self.push(cursor, Operation::WhenAny(children));
            }
            _ => {
                // A quiet task may end up waited for by nobody else; but who joins it may hold no lock.
                let child = self.child(cursor, Bounds { first_lock: 0, quiet: false, sound: false });
                if bounds.quiet {
                    self.push(cursor, Operation::Start(child));
                    self.push(cursor, Operation::Detach(child));
                } else {
                    cursor.handles.push(child);
                    self.push(cursor, Operation::Start(child));
                }
            }
        }
    }

    fn group(&mut self, cursor: &Cursor, bounds: Bounds) -> Vec<TaskId> {
        let most = self.left.clamp(1, MAX_GROUP);
        let count = self.source.between(most.min(2), most);
        (0..count).map(|_| self.child(cursor, bounds)).collect()
    }

    /// Makes a task, to be filled later. Mostly of the other affinity: crossing is where the bugs are.
    fn child(&mut self, cursor: &Cursor, bounds: Bounds) -> TaskId {
        self.left = self.left.saturating_sub(1);
        let crossing = self.source.chance(2, 3);
        let affinity = match (cursor.affinity, crossing) {
            (Affinity::Main, true) | (Affinity::Worker, false) => Affinity::Worker,
            _ => Affinity::Main,
        };
        let child = self.cursor(affinity, cursor.depth + 1);
        self.blanks.push_back(Blank { task: child.task, depth: child.depth, bounds });
        id(child.task)
    }

    fn cursor(&mut self, affinity: Affinity, depth: u32) -> Cursor {
        let result = match self.source.weighted(&[3, 1, 1]) {
            0 => ResultKind::Int,
            1 => ResultKind::Unique,
            _ => ResultKind::Void,
        };
        self.draft.tasks.push(DraftTask::new(affinity, result));
        Cursor { task: self.draft.tasks.len() - 1, depth, affinity, handles: vec![] }
    }

    /// Joins or lets go of what the task still holds.
    fn settle(&mut self, cursor: &mut Cursor, bounds: Bounds) {
        while !cursor.handles.is_empty() {
            let child = self.take_handle(cursor);
            if bounds.quiet || bounds.sound || self.source.chance(1, 6) {
                // Given up at the task's end, without a word.
                continue;
            }
            self.hole(cursor, bounds);
            self.push(cursor, Operation::Join(child));
        }
    }

    fn take_handle(&mut self, cursor: &mut Cursor) -> TaskId {
        let index = self.source.below(cursor.handles.len() as u32) as usize;
        cursor.handles.swap_remove(index)
    }

    fn affinity(&mut self) -> Affinity {
        if self.source.chance(1, 2) { Affinity::Worker } else { Affinity::Main }
    }

    fn hole(&mut self, cursor: &Cursor, bounds: Bounds) {
        if self.source.chance(1, 2) {
            self.draft.tasks[cursor.task].steps.push(Step::hole(!bounds.quiet));
        }
    }

    fn push(&mut self, cursor: &Cursor, operation: Operation) {
        self.draft.tasks[cursor.task].steps.push(Step::new(operation));
    }
}
