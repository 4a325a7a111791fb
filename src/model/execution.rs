//! What one execution left behind: its events, its choices and how it ended.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::model::op::OpKind;

/// A virtual thread: 0 is the main thread, the others count in the order they were created.
pub type ThreadId = u16;
/// Index of a task in its task graph. Task 0 is the root.
pub type TaskId = u32;

/// One thing that a task did, in the order in which it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Event {
    pub value: i64,
    pub task: TaskId,
    /// Index into the task's operations; 0 for events of the task as a whole.
    pub operation: u16,
    pub thread: ThreadId,
    pub kind: EventKind,
}

/// The kinds of event; the C++ interpreter uses the same numbers (cpp/harness/event.hpp).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EventKind {
    /// The coroutine frame of the task was made. On the thread that called the coroutine.
    FrameMade = 0,
    /// The frame was destroyed.
    FrameFreed = 1,
    /// The body of the task began to run.
    TaskBegin = 2,
    /// The body returned; `value` is the accumulator, or 0 for a void task.
    TaskEnd = 3,
    /// The body failed; `value` is the failure code.
    TaskFail = 4,
    /// An operation is about to be called. `value` is the time in virtual microseconds for `Sleep`, else 0.
    OperationBegin = 5,
    /// It returned. `value` is what it gave: the child's result, the winner's position (`WhenAny`), the
    /// value received, 1 or 0 for sent or closed (`Send`), the time for `Sleep`, else 0.
    OperationEnd = 6,
    /// It failed; `value` is the failure code. The task fails with it, except in `AwaitCatch`.
    OperationFail = 7,
    /// A `Resume` is inside the processor; `value` is how deep, from 1.
    Entered = 8,
    /// A `Resume` is about to leave it.
    Leaving = 9,
    /// A registry called back, inside a call of the task; `value` is pair and event, see `ArcEvent::of`.
    Callback = 10,
    /// Recorded once, by task 0 after everything else: `value` is the number of contexts that are left.
    ContextsLeft = 11,
}

impl EventKind {
    const ALL: [Self; 12] = [
        Self::FrameMade,
        Self::FrameFreed,
        Self::TaskBegin,
        Self::TaskEnd,
        Self::TaskFail,
        Self::OperationBegin,
        Self::OperationEnd,
        Self::OperationFail,
        Self::Entered,
        Self::Leaving,
        Self::Callback,
        Self::ContextsLeft,
    ];

    /// Whether events of this kind are of one operation of their task.
    #[must_use]
    pub fn is_of_operation(self) -> bool {
        match self {
            Self::OperationBegin
            | Self::OperationEnd
            | Self::OperationFail
            | Self::Entered
            | Self::Leaving
            | Self::Callback => true,
            Self::FrameMade
            | Self::FrameFreed
            | Self::TaskBegin
            | Self::TaskEnd
            | Self::TaskFail
            | Self::ContextsLeft => false,
        }
    }

    /// The kind in a word, for people and programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::FrameMade => "frame-made",
            Self::FrameFreed => "frame-freed",
            Self::TaskBegin => "begins",
            Self::TaskEnd => "ends",
            Self::TaskFail => "fails",
            Self::OperationBegin => "operation-begins",
            Self::OperationEnd => "operation-ends",
            Self::OperationFail => "operation-fails",
            Self::Entered => "entered",
            Self::Leaving => "leaving",
            Self::Callback => "callback",
            Self::ContextsLeft => "contexts-left",
        }
    }

    /// Whether it is the beginning of an operation, or its end where it did not fail.
    #[must_use]
    #[inline]
    pub fn begins_or_ends(self) -> bool {
        matches!(self, Self::OperationBegin | Self::OperationEnd)
    }

    /// The kind of that number.
    ///
    /// # Panics
    /// If there is none: a runtime that records anything else was not built from our interpreter.
    #[must_use]
    pub fn from_number(number: u8) -> Self {
        Self::ALL[usize::from(number)]
    }

    /// The kind of that number, if there is one.
    #[must_use]
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// Says what the target did that made an execution end as `Ending::Unsupported`.
#[must_use]
pub fn not_emulated(what: &str) -> String {
    format!("the program needs what is not emulated: {what}; docs/limits.md lists what is")
}

/// How an execution ended, as the controller saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The main thread returned and every other thread ended.
    Completed,
    /// No thread could run and no time-out was pending. What each unfinished thread waits for.
    Stuck(Vec<BlockedThread>),
    /// The step budget ran out although the last part of it was scheduled fairly.
    OutOfSteps(u64),
    /// The step budget ran out, but not by waiting: for more than half of it one thread alone could run, which did not only
    /// wait, or threads got to ever more memory and code up to its end.
    TooLong(u64),
    /// A thread called this function in a way that its standard leaves undefined; `how` goes on after its name.
    Misused { thread: ThreadId, primitive: &'static str, how: &'static str },
    /// A thread called this function on an object whose memory is gone; `how` goes on after its name.
    Dangling { thread: ThreadId, primitive: &'static str, how: &'static str },
    /// The target called something that would block and is not emulated.
    Unsupported(String),
    /// A replayed schedule did not fit at this step.
    Diverged { step: u64, why: String },
    /// The runtime recorded more events than its task graph can make.
    TooManyEvents,
    /// The process image stopped at this scheduling point, by an injected crash.
    Crashed { point: u64 },
    /// The program under check ended itself; other threads may have been in the middle of something.
    Exited(Exit),
}

/// Everything that is the same however often the schedule is executed.
impl Display for Ending {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => formatter.write_str("completed"),
            Self::Stuck(threads) => {
                formatter.write_str("stuck:")?;
                threads.iter().try_for_each(|blocked| write!(formatter, " {} in {}", blocked.thread, blocked.primitive))
            }
            Self::OutOfSteps(steps) | Self::TooLong(steps) => {
                write!(formatter, "no end after {steps} scheduling points")
            }
            Self::Misused { thread, primitive, how } => {
                write!(formatter, "misuse by thread {thread}: {primitive} {how}")
            }
            Self::Dangling { thread, primitive, how } => {
                write!(formatter, "memory error in thread {thread}: {primitive} {how}")
            }
            Self::Unsupported(what) => write!(formatter, "unsupported: {what}"),
            Self::Diverged { step, why } => write!(formatter, "diverged at step {step}: {why}"),
            Self::TooManyEvents => formatter.write_str("too many events"),
            Self::Crashed { point } => write!(formatter, "crashed at scheduling point {point}"),
            Self::Exited(Exit::Status(status)) => write!(formatter, "status {status}"),
            Self::Exited(Exit::FailedAssertion(assertion)) => write!(formatter, "failed assertion: {assertion}"),
            Self::Exited(Exit::UncaughtException(exception)) => write!(formatter, "uncaught exception: {exception}"),
            Self::Exited(Exit::Aborted) => formatter.write_str("aborted"),
            Self::Exited(Exit::Signal(name)) => write!(formatter, "signal {name}"),
        }
    }
}

/// A point of an execution that was logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub thread: ThreadId,
    pub kind: OpKind,
    pub object: Object,
    /// A digest of which threads could run then.
    pub runnable: u64,
    /// Points that the execution had passed when the operation was made.
    pub point: u64,
    /// The calls that led there, the innermost first, as offsets in the program under check.
    pub frames: Vec<u64>,
    /// Where the frames of those calls end on the stack, each its canonical frame address; 0 if it is not known. Empty unless
    /// the execution is explained, and so is what follows.
    pub stack: Vec<u64>,
    pub value: Option<Value>,
    /// By how many the store that it read, or that it is placed after, is older than the newest.
    pub older: u16,
}

/// What happened beside the steps of an execution that is explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Steps that were made before it.
    pub step: usize,
    pub what: Happened,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A task did something.
    Recorded(Event),
    /// The thread cannot go on by itself; what it waits in.
    Blocked(ThreadId, String),
    /// It can again.
    Unblocked(ThreadId),
}

/// What an object held before an operation and after it: its lowest bytes, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// In bytes, 8 at most.
    pub size: u8,
    pub before: u64,
    pub after: u64,
}

/// What an operation is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Object {
    Nothing,
    Thread(ThreadId),
    /// A static variable of the program under check, by its offset.
    Variable(u64),
    /// Memory at that address, which is another one in another process.
    Memory(u64),
}

/// How a program under check ends itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// `main` returned, or `exit` was called.
    Status(i32),
    /// Where, and what was asserted.
    FailedAssertion(String),
    /// The exception's type.
    UncaughtException(String),
    /// `abort` was called, or `std::terminate` without an exception.
    Aborted,
    /// A signal of that name, which the program sent itself, did what it does by default.
    Signal(String),
}

/// A thread that cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedThread {
    pub thread: ThreadId,
    /// What it waits in, for instance "pthread_cond_wait".
    pub primitive: &'static str,
    /// What it waits for has this descriptor.
    pub descriptor: Option<i32>,
}

impl fmt::Display for BlockedThread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "thread {} in {}", self.thread, self.primitive)?;
        match self.descriptor {
            Some(descriptor) => write!(out, " on descriptor {descriptor}"),
            None => Ok(()),
        }
    }
}

/// The files and leases of a task graph after a crash in the middle of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aftermath {
    /// Each file that was there, with its content, sorted by name.
    pub files: Vec<(String, Vec<u8>)>,
    /// The holder of each lease, or -1, after the next operation on it; or why that operation failed.
    pub holders: Result<Vec<i64>, String>,
}

/// Everything that one execution left behind.
#[derive(Clone, Debug)]
pub struct Execution {
    pub events: Vec<Event>,
    pub ending: Ending,
    /// Points passed.
    pub points: u64,
    /// Those of them that threads passed in loops where they were let stay.
    pub stayed: u64,
    /// Sanitizer reports made in process during the execution (TSan goes on after one).
    pub reports: u32,
    /// Descriptors that the target opened and did not close.
    pub files_left_open: u32,
    /// Names of the files that are there at the end, of a task graph with leases; sorted. After a crash: once the
    /// leases recovered.
    pub files_left: Vec<String>,
    /// What a crash left to those who came next.
    pub aftermath: Option<Aftermath>,
    /// Allocations that the target made with `operator new`. Counted under control only.
    pub allocations: u64,
}

impl Execution {
    /// One that came to its end with these events, and about which nothing else is known.
    #[must_use]
    pub fn completed(events: Vec<Event>) -> Self {
        Self {
            events,
            ending: Ending::Completed,
            points: 0,
            stayed: 0,
            reports: 0,
            files_left_open: 0,
            files_left: Vec::new(),
            aftermath: None,
            allocations: 0,
        }
    }
}
