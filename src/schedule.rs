//! The choices that one execution made, in the form that replays them and notices when they no longer fit.
#![forbid(unsafe_code)]

use crate::execution::ThreadId;

/// One choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// `thread` ran until it had passed so many points (0 only where a cut schedule ends).
    Run {
        thread: ThreadId,
        points: u32,
        /// Folded hash of the operations at those points: what tells a schedule that no longer fits.
        digest: u16,
    },
    /// Of several waiters, `thread` was woken. The thread that woke it goes on.
    Wake { thread: ThreadId },
}

/// The list of choices of one execution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    pub choices: Vec<Choice>,
    /// The execution was cut short (it crashed), so the list may end before the execution does.
    pub cut: bool,
}
