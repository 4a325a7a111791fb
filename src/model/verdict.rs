//! What an oracle can say of an execution, and what is kept of one that failed.

use serde::{Deserialize, Serialize};

/// What was wrong, in the words that case files, JSON and exit summaries use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Clean,
    DataRace,
    /// Use after free, overflow, double free: what AddressSanitizer stops at.
    MemoryError,
    UndefinedBehaviour,
    Leak,
    /// Another report of a sanitizer.
    SanitizerReport,
    /// Ended by a signal such as SIGSEGV.
    Crash,
    /// Ended by `abort`, `std::terminate` or a failed assertion; of a check only by what the next three do not say.
    Abort,
    /// An `assert` did not hold.
    FailedAssertion,
    /// An exception left `main` or the function of a thread, or nothing could catch it.
    UncaughtException,
    /// `main` returned, or `exit` was called with, another status than 0.
    ExitStatus,
    OutOfMemory,
    WrongResult,
    /// A task did not run exactly once, did not run to its end, or ran on the wrong thread.
    Lifecycle,
    /// A coroutine frame was not destroyed exactly once.
    FrameLeak,
    /// The history of a shared object is not linearizable: mutual exclusion, a count, loss, duplication, order.
    WrongHistory,
    /// A crash left a file that is not whole.
    TornFile,
    /// Another promise broke: a timer, a callback.
    Invariant,
    Deadlock,
    /// Stuck although a task is ready or an operation could complete.
    LostWakeup,
    Livelock,
    /// A lock was used in a way that its standard leaves undefined.
    Misuse,
    /// No scheduling point was reached for too long; the worker was ended from outside.
    Hang,
}

/// Who found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OracleName {
    Differential,
    Lifecycle,
    History,
    Files,
    Invariant,
    Progress,
    /// The emulation of what threads wait for.
    Primitives,
    Sanitizer,
    /// The supervisor, from the way a worker died.
    Process,
}

/// A failed execution, before it is written down as a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub verdict: Verdict,
    pub oracle: OracleName,
    /// One line for people, with the tasks and values involved.
    pub message: String,
    /// The same for failures of the same cause in different workloads and schedules; what the fingerprint
    /// is made of. For instance the oracle's rule and the kind of operation, or the functions of a report.
    pub cause: String,
}

/// Why an execution could not be compared with the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Incomparable {
    /// The controller does not emulate a primitive that the target called.
    UnsupportedPrimitive,
    /// A replayed schedule diverged.
    Diverged,
    /// Calls on a shared object overlapped in more ways than could be tried.
    HistoryTooLong,
    /// One thread alone had more to do than an execution may take.
    TooLong,
}

/// What the oracles say of one execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    Right,
    Wrong(Failure),
    Incomparable(Incomparable, String),
}
