//! What a task graph is: tasks with an affinity, a result and a list of operations over shared objects.

use super::call::{Call, System};
use super::injections::Injections;

pub use crate::model::execution::TaskId;
/// Index of an object among those of its kind.
pub type ObjectId = u32;

/// A task graph. The root is task 0; every other task is begun by exactly one operation of a task with a
/// lower index, so the tasks form a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskGraph {
    pub objects: Objects,
    pub injections: Injections,
    pub tasks: Vec<Task>,
}

impl TaskGraph {
    /// The operations of all tasks.
    #[must_use]
    pub fn operation_count(&self) -> usize {
        self.tasks.iter().map(|task| task.operations.len()).sum()
    }
}

/// The shared objects that operations name by index, each list giving one object per entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    pub mutexes: u32,
    /// Permits at the start.
    pub semaphores: Vec<u32>,
    pub events: Vec<EventReset>,
    /// Arrivals until the latch opens.
    pub latches: Vec<u32>,
    /// Participants of each phase.
    pub barriers: Vec<u32>,
    /// Values the channel holds before `send` waits; at least 1.
    pub channels: Vec<u32>,
    pub processors: Vec<AccessChecks>,
    pub engines: u32,
    pub registries: u32,
    /// Lock files.
    pub leases: u32,
}

impl Objects {
    /// The number of objects of a system.
    #[must_use]
    pub fn count(&self, system: System) -> usize {
        match system {
            System::Processor => self.processors.len(),
            System::Engine => self.engines as usize,
            System::Registry => self.registries as usize,
            System::Lease => self.leases as usize,
        }
    }

    /// Whether there is any object of any system.
    #[must_use]
    pub fn has_systems(&self) -> bool {
        !self.processors.is_empty() || self.engines + self.registries + self.leases > 0
    }
}

/// Whether a processor checks who enters it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessChecks {
    On,
    /// Nobody is refused; the task graph sees to it that one thread at a time enters.
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventReset {
    /// Stays set until it is reset.
    Manual,
    /// Lets one waiter through and is unset again.
    Auto,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub affinity: Affinity,
    pub result: ResultKind,
    pub operations: Vec<Operation>,
}

/// Where a task runs: `Main` only on the main thread; `Worker` on any thread, since main helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Affinity {
    Main = 0,
    Worker = 1,
}

/// The `T` of the C++ `Task<Affinity, T>`. `Int` and `Unique` return the accumulator, `Void` counts as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResultKind {
    Int = 0,
    /// A move-only `std::unique_ptr<std::int64_t>`.
    Unique = 1,
    Void = 2,
}

/// One step of a task. Every task keeps an accumulator (64 bits, wrapping, starts at 0) into which
/// results are mixed with [`mix`]; operations without a result leave it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Mixes the constant in.
    Compute(i64),
    /// Runs a child to its end and mixes its result in. Its failure becomes this task's failure.
    Await(TaskId),
    /// As `Await`, but a failure is caught and mixed in as [`caught`].
    AwaitCatch(TaskId),
    /// Runs children at once, waits for all, mixes the results in their order. If any failed, the failure
    /// of the first in order becomes this task's.
    WhenAll(Vec<TaskId>),
    /// Runs children at once. The first to end, by value or by failure, wins; the others are asked to
    /// stop and waited for. Mixes in the winner's position and then its result; its failure becomes this
    /// task's.
    WhenAny(Vec<TaskId>),
    /// Queues a child to run on its own and keeps a handle to it.
    Start(TaskId),
    /// Waits for a child this task started, then as `Await`. Gives the handle up.
    Join(TaskId),
    /// Gives the handle of a started child up; it goes on by itself. Handles that a task still holds at
    /// its end are given up the same way.
    Detach(TaskId),
    /// Moves this task to the other affinity from here on.
    Hop(Affinity),
    /// Goes to the back of the own queue.
    Yield,
    /// Waits at least so many microseconds.
    Sleep(u32),
    /// Fails the task with this code; nothing after it runs.
    Throw(u32),
    /// Asks a child, whose handle this task holds, to stop.
    Cancel(TaskId),
    /// Fails the task as cancelled if a stop was asked for.
    CheckCancel,
    Lock(ObjectId),
    Unlock(ObjectId),
    Acquire(ObjectId),
    Release(ObjectId),
    SetEvent(ObjectId),
    ResetEvent(ObjectId),
    WaitEvent(ObjectId),
    /// Counts the latch down by one; does not wait.
    LatchArrive(ObjectId),
    LatchWait(ObjectId),
    /// Arrives at the current phase and keeps its ticket; does not wait.
    BarrierArrive(ObjectId),
    /// Waits until the phase of the last `BarrierArrive` of this task at that barrier is complete.
    BarrierWait(ObjectId),
    /// Waits for room, then puts the value in. On a closed channel nothing is sent.
    Send(ObjectId, i64),
    /// Waits for a value and mixes it in, or mixes in [`CLOSED`] once the channel is closed and drained.
    Receive(ObjectId),
    Close(ObjectId),
    /// On a system beside the scheduler.
    Call(Call),
}

/// What `Receive` gives on a closed and drained channel.
pub const CLOSED: i64 = i64::MIN;
/// The failure code of a cancelled task.
pub const CANCELLED: u32 = u32::MAX;
/// The failure code of an operation that ran out of memory; `Throw` codes are below it.
pub const OUT_OF_MEMORY: u32 = u32::MAX - 1;

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Value(i64),
    /// The code of a `Throw`, [`OUT_OF_MEMORY`] or [`CANCELLED`].
    Failure(u32),
}

/// Mixes a result into an accumulator. The C++ interpreter computes the same.
#[must_use]
pub fn mix(accumulator: i64, value: i64) -> i64 {
    accumulator.wrapping_mul(31).wrapping_add(value)
}

/// What `AwaitCatch` mixes in for a failure.
#[must_use]
pub fn caught(code: u32) -> i64 {
    1_000_003_i64.wrapping_add(i64::from(code))
}
