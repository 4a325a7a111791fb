//! Strategies: what makes the choices.

mod bounded;
pub mod bytes;
mod deepening;
mod dice;
mod early;
mod exhaustive;
mod family;
mod guided;
mod numbering;
mod pct;
mod portfolio;
mod pos;
mod priorities;
mod random;
mod reads_from;
mod replay;
mod rff;
mod stores;
mod surw;
#[cfg(test)]
mod tests;
mod thread_set;

pub use bounded::Bounded;
pub use bytes::Bytes;
pub use dice::Dice;
pub use exhaustive::Exhaustive;
pub use guided::{Guide, Guided};
pub use pct::Pct;
pub use portfolio::Portfolio;
pub use pos::Pos;
pub use random::Random;
pub use replay::Replay;
pub use rff::Rff;
pub use stores::Stores;
pub use surw::Surw;
pub use thread_set::ThreadSet;

use std::ops::Range;

use numbering::Numbering;

use crate::model::execution::ThreadId;
use crate::model::extent::Extent;
use crate::model::op::Op;
use crate::model::schedule::Injection;
use crate::model::settings::StrategyName;

/// What a strategy chooses from. The caller guarantees that `runnable` and `sleeping` are not both empty.
pub struct Decision<'a> {
    /// The thread that runs now, if it can go on.
    pub current: Option<ThreadId>,
    /// The current thread says that it waits for others (a pause, a yield).
    pub yielding: bool,
    /// Every thread that can go on.
    pub runnable: &'a ThreadSet,
    /// What each thread, by its number, does when it goes on.
    pub pending: &'a [Op],
    /// Threads in a timed wait. Choosing one lets its time-out happen: the clock jumps to its deadline.
    pub sleeping: &'a [Sleeper],
    /// Virtual time in nanoseconds.
    pub now: u64,
    /// Scheduling points passed so far, over all threads.
    pub points: u64,
    /// The folded digest of what the current thread did since it was switched to.
    pub digest: u16,
}

impl Decision<'_> {
    /// Whether the time-out would come before its time, although somebody else can run.
    #[must_use]
    pub fn is_early(&self, sleeper: &Sleeper) -> bool {
        sleeper.deadline > self.now && !self.runnable.is_empty()
    }
}

/// A thread in a timed wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sleeper {
    pub thread: ThreadId,
    /// Virtual time in nanoseconds.
    pub deadline: u64,
}

/// A choice: who runs, and for how many points (at least 1) until the strategy is asked again. It is
/// asked earlier when the thread cannot go on or yields, and when another one becomes runnable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub thread: ThreadId,
    pub points: u32,
}

/// What a step does besides its operation, or what that came to. Objects are known by their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The thread has a lock from now on.
    Took(usize),
    /// Nobody has that lock from now on.
    GaveUp(usize),
    /// It found out something about the object, and left it as it was.
    Looked(usize),
    /// It changed the object.
    Changed(usize),
    /// It accesses what lies on its own stack, where there is no scheduling point. The size is 0 if it is not known.
    Own { address: usize, size: u32, changes: bool },
    /// Its atomic operation, the one of that number in the execution, counted from 1, read the store of the number `source`, or comes
    /// directly after it; or after what was there before. Only where the memory model leaves a choice.
    Placed { object: usize, number: u32, source: Option<u32>, writes: bool },
    /// It touches nothing of what its operation is on, only what is told besides.
    Elsewhere,
    /// It begins to wait for that.
    Waits(usize),
    /// It wakes who waits for that, if there is anyone.
    Wakes { object: usize, anyone: bool },
    /// That thread can go on from now on.
    Resumed(ThreadId),
    /// The thread goes on because its time is out.
    TimedOut,
    /// It ends the execution, whatever others could still do.
    Stopped,
}

/// How an execution is conducted, as far as that is up to its strategy.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// The strategy is told of every operation (see `made`). That costs time at every point.
    pub watches: bool,
    /// And of what steps do besides their operations (see `uses`).
    pub wants_uses: bool,
    /// Threads may be let stay in loops that wait, as long as the execution's seed says, without a question.
    pub lets_stay: bool,
    /// Rounds of a loop that waits for others, after which these go first.
    pub patience: u32,
    /// Which stores atomic operations are on is drawn as the execution's seed says, without a question.
    pub draws_stores: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self { watches: false, wants_uses: false, lets_stay: true, patience: PATIENCE, draws_stores: true }
    }
}

/// A replayed schedule does not fit, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence(pub String);

/// Makes the choices of one execution after the other.
///
/// They depend on the seeds, and on the executions since the last `forget`, in their order; on the seed alone if the
/// strategy's name does not learn (`StrategyName::learns`).
pub trait Strategy {
    /// Another workload is loaded: what was learned from executions is worth nothing.
    fn forget(&mut self) {}

    /// A new execution begins. `expected_points` is a rough estimate of its length.
    fn begin(&mut self, seed: u64, expected_points: u64);

    /// How the execution that has begun is conducted.
    fn manner(&self) -> Manner {
        Manner::default()
    }

    /// The step that `thread` makes now does this as well. Called only if its manner `wants_uses`.
    fn uses(&mut self, thread: ThreadId, how: Use) {
        let _ = (thread, how);
    }

    /// What is in this memory has the same address in every execution.
    fn lies_still(&mut self, memory: Range<usize>) {
        let _ = memory;
    }

    /// `thread` makes an operation now, whoever chose it, or nobody because it was alone. Called only if its manner `watches`, and not
    /// for operations of a program that all others are ordered before or after, since there was no other thread; those on
    /// threads are told even so.
    fn made(&mut self, thread: ThreadId, made: &Op) {
        let _ = (thread, made);
    }

    /// Every thread but the first was joined: what was done until now is ordered before all that comes. Called only if it
    /// `watches`.
    fn alone(&mut self) {}

    /// Whether every execution of the workload that this strategy would make was made.
    fn search_ended(&mut self) -> bool {
        false
    }

    /// How far it is, if there is an end.
    fn extent(&self) -> Option<Extent> {
        None
    }

    /// Begins anew with more patience, after a search to the end in which threads had to be set aside, or says that it will
    /// not.
    fn deepen(&mut self) -> bool {
        false
    }

    /// Whether the rest of this execution is like that of another one, so that nothing in it can be left out.
    fn is_redundant(&self) -> bool {
        false
    }

    /// Who runs next.
    ///
    /// # Errors
    /// A recorded schedule that does not fit.
    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence>;

    /// Which of several waiters is woken; an index into `waiters`, which has at least two.
    ///
    /// # Errors
    /// A recorded schedule that does not fit.
    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence>;

    /// Whether what the running thread is about to do goes wrong, and how: one of `options`,
    /// of which there is at least one. Unless a strategy says otherwise, nothing does.
    ///
    /// # Errors
    /// A recorded schedule that does not fit.
    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        let _ = options;
        Ok(None)
    }

    /// Which of several stores the atomic operation of the running thread is on, by how many it is older than the newest; there
    /// are `stores`, at least two. Unless a strategy says otherwise, it is the newest.
    ///
    /// # Errors
    /// A recorded schedule that does not fit.
    fn older(&mut self, stores: u16) -> Result<u16, Divergence> {
        let _ = stores;
        Ok(0)
    }

    /// The execution ended after so many points, the last segment with this digest.
    ///
    /// # Errors
    /// A recorded schedule goes on.
    fn end(&mut self, points: u64, digest: u16) -> Result<(), Divergence> {
        let _ = (points, digest);
        Ok(())
    }
}

/// Enough rounds to tell a loop that waits from one that works.
const PATIENCE: u32 = 16;

/// One call in so many that can crash does, and twice as many fail in another way where they can: file calls, waits
/// and weak compare-exchanges.
const CRASH_ODDS: u64 = 32;

/// The injection that random strategies make, given a source of random numbers below a bound.
fn inject_at_random(options: &[Injection], mut below: impl FnMut(u64) -> u64) -> Option<Injection> {
    let drawn = below(CRASH_ODDS);
    let failures = || options.iter().copied().filter(|&option| option != Injection::Crash);
    match drawn {
        0 => options.contains(&Injection::Crash).then_some(Injection::Crash),
        1 | 2 => {
            let count = failures().count() as u64;
            if count == 0 { None } else { failures().nth(below(count) as usize) }
        }
        _ => None,
    }
}

/// The strategy of that name.
#[must_use]
pub fn by_name(name: StrategyName) -> Box<dyn Strategy + Send> {
    match name {
        StrategyName::Random => Box::new(Random::new()),
        StrategyName::RandomAt(chance) => Box::new(Random::switching_at(chance)),
        StrategyName::Pct => Box::new(Pct::new()),
        StrategyName::PctOf(depth) => Box::new(Pct::of_depth(depth)),
        StrategyName::Pos => Box::new(Pos::new()),
        StrategyName::Surw => Box::new(Surw::new()),
        StrategyName::Rff => Box::new(Rff::new()),
        StrategyName::Exhaustive => Box::new(Exhaustive::new()),
        StrategyName::ExhaustiveWithin(preemptions) => Box::new(Bounded::within(preemptions.into())),
        StrategyName::Portfolio => Box::new(Portfolio::new()),
        StrategyName::Bytes => Box::new(Bytes::new()),
    }
}
