//! The choices that one execution made, in the form that replays them and notices when they no longer fit.

use serde::{Deserialize, Serialize};

use crate::model::execution::ThreadId;

/// One choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    /// `thread` ran until it had passed so many scheduling points (0 only where a cut schedule ends).
    Run {
        thread: ThreadId,
        points: u32,
        /// Folded hash of the operations at those points: what tells a schedule that no longer fits.
        digest: u16,
    },
    /// Of several waiters, `thread` was woken. The thread that woke it goes on.
    Wake { thread: ThreadId },
    /// The operation of the running thread goes wrong in this way. Unless it was a crash, the thread goes on.
    Inject { injection: Injection },
    /// The atomic operation of the running thread reads a store that is so many older than the newest one it could read, or
    /// takes its place before so many stores. The thread goes on.
    Older { by: u16 },
}

impl Choice {
    /// Whether it belongs to the operation at the point that the running thread has just passed.
    #[must_use]
    pub fn is_at_point(self) -> bool {
        matches!(self, Self::Inject { .. } | Self::Older { .. })
    }
}

/// What can go wrong with a call on a file or descriptor, a wait or a weak compare-exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u16)]
pub enum Injection {
    /// The call fails with `EIO`.
    Eio = 0,
    /// The call fails with `ENOSPC`.
    Enospc = 1,
    /// The call writes half of the bytes.
    ShortWrite = 2,
    /// The process ends before the call.
    Crash = 3,
    /// The wait for a condition variable or futex ends, although nobody notified it.
    SpuriousWakeUp = 4,
    /// The weak compare-exchange fails, whatever is there.
    WeakFailure = 5,
    /// The call reads half of the bytes, although more are there.
    ShortRead = 6,
    /// The call that is about to wait fails with `EINTR`.
    Interrupted = 7,
    /// The connection is reset before the call.
    Reset = 8,
}

impl Injection {
    pub const ALL: [Self; 9] = [
        Self::Eio,
        Self::Enospc,
        Self::ShortWrite,
        Self::Crash,
        Self::SpuriousWakeUp,
        Self::WeakFailure,
        Self::ShortRead,
        Self::Interrupted,
        Self::Reset,
    ];

    /// Those that operations of task graphs meet.
    pub const OF_OPERATIONS: [Self; 6] =
        [Self::Eio, Self::Enospc, Self::ShortWrite, Self::Crash, Self::SpuriousWakeUp, Self::WeakFailure];

    /// The word that task graphs and case files use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Eio => "eio",
            Self::Enospc => "enospc",
            Self::ShortWrite => "short-write",
            Self::Crash => "crash",
            Self::SpuriousWakeUp => "spurious-wake-up",
            Self::WeakFailure => "weak-failure",
            Self::ShortRead => "short-read",
            Self::Interrupted => "eintr",
            Self::Reset => "reset",
        }
    }

    /// The injection of that word.
    #[must_use]
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|injection| injection.word() == word)
    }
}

impl Schedule {
    /// Whether some operation read another store than the newest, or was not the newest.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.choices.iter().any(|choice| matches!(choice, Choice::Older { .. }))
    }

    /// Points that the execution passed.
    #[must_use]
    pub fn points(&self) -> u64 {
        let points = |choice: &Choice| if let Choice::Run { points, .. } = choice { u64::from(*points) } else { 0 };
        self.choices.iter().map(points).sum()
    }
}

/// The list of choices of one execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    pub choices: Vec<Choice>,
    /// The execution was cut short (it crashed), so the list may end before the execution does.
    pub cut: bool,
}
