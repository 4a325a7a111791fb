//! Random priorities of the operations that threads are about to make.

use super::early::EarlyTimeOuts;
use super::{Decision, Dice, ThreadSet, Turn};
use crate::model::execution::ThreadId;
use crate::model::op::Op;

/// Stands for a priority that is still to be drawn.
const OPEN: u64 = 0;

/// What goes first whatever the priorities are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// It says itself that others should run.
    Yields = 0,
    Delayed = 1,
    Usual = 2,
    Wanted = 3,
}

/// A priority for what each thread does next. It stays until the operation is made, or until one is made that races
/// with it.
pub struct Priorities {
    /// Indexed by thread; a higher one runs first.
    drawn: Vec<u64>,
    /// For these, sleepers have priorities as well.
    early: EarlyTimeOuts,
}

impl Priorities {
    #[must_use]
    pub fn new() -> Self {
        Self { drawn: Vec::with_capacity(ThreadSet::CAPACITY), early: EarlyTimeOuts::default() }
    }

    pub fn begin(&mut self, dice: &mut Dice) {
        self.drawn.clear();
        self.early.begin(dice.one_in(EarlyTimeOuts::ODDS));
    }

    /// The operation of the highest priority is made.
    pub fn turn(&mut self, decision: &Decision<'_>, dice: &mut Dice, rank: impl Fn(&Op) -> Rank) -> Turn {
        let thread = self.highest(decision, dice, rank);
        self.made(thread, decision);
        Turn { thread, points: 1 }
    }

    /// The thread of the highest priority among those that can go on, the highest rank going first.
    fn highest(&mut self, decision: &Decision<'_>, dice: &mut Dice, rank: impl Fn(&Op) -> Rank) -> ThreadId {
        // One by one and within the capacity: TSan would see the memory being filled (see `control::sanitizer`).
        while self.drawn.len() < decision.pending.len() {
            self.drawn.push(OPEN);
        }
        if let Some(current) = decision.current {
            // What it is about to do is new, even if nobody was asked about what it did before.
            self.drawn[usize::from(current)] = OPEN;
        }
        let mut best = (0, 0, false);
        for thread in decision.runnable.iter() {
            let pending = &decision.pending[usize::from(thread)];
            let rank = if pending.kind.yields() { Rank::Yields } else { rank(pending) };
            best = best.max(((rank as u64) << 60 | self.priority(thread, dice), thread, false));
        }
        for sleeper in decision.sleeping {
            let early = decision.is_early(sleeper);
            if !early || self.early.are_left() {
                let priority = (Rank::Usual as u64) << 60 | self.priority(sleeper.thread, dice);
                best = best.max((priority, sleeper.thread, early));
            }
        }
        if best.2 {
            self.early.take();
        }
        best.1
    }

    /// `thread` makes its operation.
    fn made(&mut self, thread: ThreadId, decision: &Decision<'_>) {
        let made = decision.pending[usize::from(thread)];
        if made.object != 0 {
            for other in decision.runnable.iter() {
                if made.races_with(&decision.pending[usize::from(other)]) {
                    self.drawn[usize::from(other)] = OPEN;
                }
            }
        }
        self.drawn[usize::from(thread)] = OPEN;
    }

    fn priority(&mut self, thread: ThreadId, dice: &mut Dice) -> u64 {
        let priority = &mut self.drawn[usize::from(thread)];
        if *priority == OPEN {
            // 60 bits, of which the lowest keeps it from being OPEN.
            *priority = dice.any() >> 4 | 1;
        }
        *priority
    }
}

impl Default for Priorities {
    fn default() -> Self {
        Self::new()
    }
}
