//! The small programs of the judge: what their threads do, step by step.

use serde::{Deserialize, Serialize};

/// Objects that a program may have of each kind; all hold 0 at first, and are free.
pub const ATOMICS: usize = 3;
pub const PLAINS: usize = 2;
pub const MUTEXES: usize = 2;
pub const CONDITIONS: usize = 2;
/// Threads at most, besides the one that starts and joins them.
pub const THREADS: usize = 4;
/// Values that a thread may record: at most.
pub const RECORDS: usize = 16;

/// What calls give that did not get what they asked for.
pub const BUSY: i32 = -1;
pub const TIMED_OUT: i32 = -2;
pub const DEADLOCK: i32 = -3;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// What each thread does. The first thread of the program starts all of these, then joins them.
    pub threads: Vec<Vec<Step>>,
    pub mutexes: [MutexKind; MUTEXES],
    /// What the semaphore holds at first.
    pub semaphore: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MutexKind {
    Normal,
    Recursive,
    ErrorCheck,
}

/// An operation that is left out unless its guard holds. Each that ends records a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub guard: Option<Guard>,
    pub operation: Operation,
}

/// Whether what the thread recorded last, 0 before the first, is this value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    pub value: i32,
    pub is: bool,
}

impl Guard {
    pub fn holds(self, last: i32) -> bool {
        (last == self.value) == self.is
    }
}

/// How a loop lets others go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pausing {
    Nothing,
    Pause,
    Yield,
}

/// Objects are named by their numbers. What concerns a lock that the thread must hold, and does not, is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Records the value.
    Load(usize),
    Store(usize, i32),
    /// These three record the value before.
    Exchange(usize, i32),
    Add(usize, i32),
    CompareExchange {
        atomic: usize,
        expected: i32,
        desired: i32,
    },

    /// Plain accesses. `Increment` reads, then writes, and records what it read.
    Read(usize),
    Write(usize, i32),
    Increment(usize),

    Lock(usize),
    TryLock(usize),
    TimedLock(usize),
    Unlock(usize),

    /// Waits for a condition with a mutex.
    Wait {
        condition: usize,
        mutex: usize,
    },
    TimedWait {
        condition: usize,
        mutex: usize,
    },
    /// Waits until the plain variable holds the value.
    WaitUntil {
        condition: usize,
        mutex: usize,
        plain: usize,
        value: i32,
    },
    Signal(usize),
    Broadcast(usize),

    SemaphoreWait,
    SemaphoreTryWait,
    SemaphoreTimedWait,
    SemaphorePost,

    /// On the word of an atomic variable. `FutexWake` records how many it woke.
    FutexWait {
        atomic: usize,
        expected: i32,
    },
    FutexTimedWait {
        atomic: usize,
        expected: i32,
    },
    FutexWake {
        atomic: usize,
        most: u32,
    },

    /// Of the one read-write lock.
    ReadLock,
    TryReadLock,
    WriteLock,
    TryWriteLock,
    ReadWriteUnlock,

    Sleep,
    Pause(Pausing),
    /// Loads so many times at most, until the value is there; records whether it came.
    Spin {
        atomic: usize,
        value: i32,
        rounds: u32,
        pausing: Pausing,
    },
}

/// A state in which no thread goes on, because all came to their end, or none can.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Outcome {
    /// `None` if every thread came to its end; else what kept them from it.
    pub stopped: Option<String>,
    /// By thread.
    pub records: Vec<Vec<i32>>,
    pub atomics: [i32; ATOMICS],
    pub plains: [i32; PLAINS],
}

/// How an execution that stopped in a deadlock is called.
pub const STUCK: &str = "deadlock";

impl Program {
    /// Whether all that orders two accesses of threads is what ThreadSanitizer is told of: then two that can come one right
    /// after the other are a race in its eyes, and no others are. What fails, or is only notified, orders nothing.
    pub fn orders_as_it_waits(&self) -> bool {
        self.threads.iter().flatten().all(|step| {
            !matches!(
                step.operation,
                Operation::TryLock(_)
                    | Operation::TimedLock(_)
                    | Operation::Wait { .. }
                    | Operation::TimedWait { .. }
                    | Operation::WaitUntil { .. }
                    | Operation::Signal(_)
                    | Operation::Broadcast(_)
                    | Operation::SemaphoreTryWait
                    | Operation::SemaphoreTimedWait
                    | Operation::FutexWait { .. }
                    | Operation::FutexTimedWait { .. }
                    | Operation::FutexWake { .. }
                    | Operation::TryReadLock
                    | Operation::TryWriteLock
            )
        })
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { stopped, records, atomics, plains } = self;
        write!(formatter, "{}", stopped.as_deref().unwrap_or("end"))?;
        write!(formatter, ", recorded {records:?}, atomics {atomics:?}, plains {plains:?}")
    }
}
