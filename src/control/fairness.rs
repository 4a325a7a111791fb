//! Sees to it that a loop that waits for others lets them go on, under every strategy.
//!
//! A strategy may prefer one thread for as long as it can run. If that thread only waits, without saying so, nothing
//! would ever happen. So the controller looks at the operations of threads whose every scheduling point it sees, and of
//! those that have run for long: one that does nothing but come back to the same operations is set aside for a while,
//! which ends when the others have passed many points, or cannot go on. What replays is not looked at.

use crate::model::execution::ThreadId;
use crate::model::op::Op;
use crate::strategy::ThreadSet;

/// Points that a thread passes in one turn before its operations are looked at.
pub(super) const LONG: u32 = 128;
/// Operations of a round, at most, in a loop that waits.
const LONGEST_ROUND: u32 = 8;
/// Points of the others, for each of them, until a thread that was set aside comes back.
const REST: u64 = 64;

/// What a thread's operations tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Works,
    Unsure,
    Spins,
}

/// A thread that may be waiting in a loop.
#[derive(Clone, Copy)]
struct Loop {
    /// The operation that a round begins with.
    begin: Op,
    rounds: u32,
    /// Operations since.
    since: u32,
    /// It was set aside, and has done nothing since that tells that it works.
    suspect: bool,
}

const NONE: Loop = Loop { begin: Op::NOTHING, rounds: 0, since: 0, suspect: false };

pub(super) struct Fairness {
    /// By thread.
    loops: Vec<Loop>,
    resting: ThreadSet,
    /// The point at which all of those come back.
    until: u64,
    /// Rounds of a loop that make it one that waits.
    patience: u32,
}

impl Fairness {
    pub fn new() -> Self {
        let loops = Vec::with_capacity(ThreadSet::CAPACITY);
        Self { loops, resting: ThreadSet::default(), until: 0, patience: 0 }
    }

    /// A new execution.
    pub fn begin(&mut self, patience: u32) {
        self.loops.clear();
        self.resting.clear();
        self.patience = patience;
    }

    pub fn add_thread(&mut self) {
        self.loops.push(NONE);
    }

    /// `thread` is about to do that, `next` to the last that it was looked at for or at some later time.
    #[inline]
    pub fn look(&mut self, thread: ThreadId, pending: &Op, next: bool) -> Look {
        let round = &mut self.loops[usize::from(thread)];
        if !pending.kind.may_spin() {
            *round = NONE;
            return Look::Works;
        }
        round.since += 1;
        if !next || round.since > LONGEST_ROUND || round.begin == Op::NOTHING {
            *round = Loop { begin: *pending, rounds: 0, since: 0, ..*round };
            return Look::Unsure;
        }
        if round.begin == *pending {
            round.since = 0;
            round.rounds += 1;
        }
        if round.rounds >= self.patience { Look::Spins } else { Look::Unsure }
    }

    /// What the thread was last looked at for was more than a look at what others do.
    #[inline]
    pub fn progress(&mut self, thread: ThreadId) {
        self.loops[usize::from(thread)] = NONE;
    }

    /// Sets a thread aside at this point, with so many that can run without it.
    pub fn rest(&mut self, thread: ThreadId, points: u64, others: usize) {
        self.loops[usize::from(thread)] = Loop { suspect: true, ..NONE };
        self.resting.insert(thread);
        self.until = points + REST * (others + self.resting.len()) as u64;
    }

    /// Points that a thread may pass until it must be looked at.
    #[inline]
    pub fn longest_turn(&self, thread: ThreadId) -> u32 {
        if self.loops[usize::from(thread)].suspect { 1 } else { LONG }
    }

    #[inline]
    pub fn is_anyone_resting(&self) -> bool {
        !self.resting.is_empty()
    }

    /// Points until those that rest come back.
    pub fn left(&self, points: u64) -> u64 {
        self.until.saturating_sub(points)
    }

    /// Gives back one after the other of those that rest.
    pub fn wake(&mut self) -> Option<ThreadId> {
        let thread = self.resting.iter().next()?;
        self.resting.remove(thread);
        Some(thread)
    }
}
