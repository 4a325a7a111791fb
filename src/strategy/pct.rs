//! Probabilistic concurrency testing: random priorities, and a few random scheduling points where one is lowered.
//!
//! Burckhardt, Kothari, Musuvathi, Nagarakatte: "A Randomized Scheduler with Probabilistic Guarantees of
//! Finding Bugs" (ASPLOS 2010). Here the length of an execution is only estimated, from the size of its
//! program, since choices may depend on nothing but the case. A thread that yields, or that runs for long
//! while others could, is lowered too, or a spin loop of high priority would never end.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::early::EarlyTimeOuts;
use super::{Decision, Divergence, Strategy, ThreadSet, Turn, inject_at_random};
use crate::model::execution::ThreadId;
use crate::model::schedule::Injection;

/// Depth unless another is given: the number of ordering constraints aimed at, one fewer than priorities are lowered on
/// the way.
const DEPTH: u8 = 4;
/// Points after which a thread is lowered if nothing else ended its turn.
const LONGEST_TURN: u32 = 2_000;

/// Runs the runnable thread of the highest priority.
pub struct Pct {
    depth: u8,
    random: Xoshiro256PlusPlus,
    /// Indexed by thread. All values distinct; higher runs first.
    priorities: Vec<i64>,
    /// Points at which the running thread is lowered; ascending, the next one last.
    changes: Vec<u64>,
    /// The lowest priority given so far; each lowering goes one below.
    lowest: i64,
    /// For these, sleepers have priorities as well.
    early: EarlyTimeOuts,
    /// The point at which the current turn began.
    turn: u64,
}

impl Pct {
    #[must_use]
    pub fn new() -> Self {
        Self::of_depth(DEPTH)
    }

    /// Aims at bugs of that depth, which is at least 1.
    #[must_use]
    pub fn of_depth(depth: u8) -> Self {
        Self {
            depth,
            random: Xoshiro256PlusPlus::seed_from_u64(0),
            priorities: Vec::with_capacity(ThreadSet::CAPACITY),
            changes: Vec::with_capacity(depth.into()),
            lowest: 0,
            early: EarlyTimeOuts::default(),
            turn: 0,
        }
    }

    /// Threads appear in the order of their numbers; each gets a random priority above all lowered ones.
    fn priority(&mut self, thread: ThreadId) -> i64 {
        while self.priorities.len() <= usize::from(thread) {
            // 40 random bits above the thread's number keep the values distinct and positive.
            let number = self.priorities.len() as u64;
            self.priorities.push((self.random.next_u64() >> 24 << 16 | number) as i64);
        }
        self.priorities[usize::from(thread)]
    }

    fn lower(&mut self, thread: ThreadId) {
        self.priority(thread);
        self.lowest -= 1;
        self.priorities[usize::from(thread)] = self.lowest;
    }
}

impl Default for Pct {
    fn default() -> Self {
        Self::new()
    }
}

impl Strategy for Pct {
    fn begin(&mut self, seed: u64, expected_points: u64) {
        self.random = Xoshiro256PlusPlus::seed_from_u64(seed);
        self.priorities.clear();
        self.lowest = 0;
        self.turn = 0;
        self.early.begin(self.random.next_u64().is_multiple_of(EarlyTimeOuts::ODDS));
        self.changes.clear();
        for _ in 1..self.depth {
            let change = 1 + self.random.next_u64() % expected_points.max(1);
            self.changes.push(change);
        }
        self.changes.sort_unstable_by(|a, b| b.cmp(a));
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        let mut lowered = decision.yielding || decision.points >= self.turn + u64::from(LONGEST_TURN);
        while self.changes.last().is_some_and(|&change| change <= decision.points) {
            self.changes.pop();
            lowered = true;
        }
        if let Some(current) = decision.current.filter(|_| lowered) {
            self.lower(current);
        }
        let mut best: Option<(i64, ThreadId, bool)> = None;
        for thread in decision.runnable.iter() {
            best = best.max(Some((self.priority(thread), thread, false)));
        }
        for sleeper in decision.sleeping {
            let early = decision.is_early(sleeper);
            if !early || self.early.are_left() {
                best = best.max(Some((self.priority(sleeper.thread), sleeper.thread, early)));
            }
        }
        let (_, thread, early) = best.expect("the caller gives at least one thread");
        if early {
            self.early.take();
        }
        let points = match self.changes.last() {
            Some(change) => (change - decision.points).min(u64::from(LONGEST_TURN)) as u32,
            None => LONGEST_TURN,
        };
        if decision.current != Some(thread) || lowered {
            self.turn = decision.points;
        }
        Ok(Turn { thread, points })
    }

    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence> {
        let best = (0..waiters.len()).max_by_key(|&index| self.priority(waiters[index]));
        Ok(best.unwrap_or(0))
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        Ok(inject_at_random(options, |bound| self.random.next_u64() % bound))
    }
}
