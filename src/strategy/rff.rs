//! Reads-from feedback: schedules that had somebody read from somebody new are varied.
//!
//! Wolff, Shi, Duck, Mathur, Roychoudhury: "Greybox Fuzzing for Concurrency Testing" (ASPLOS 2024). An abstract
//! schedule is a set of constraints: this read, told by its place in the code, reads what that place wrote, or what was
//! there at first; or it does not. An execution follows one by holding back operations that would break a constraint;
//! otherwise it is partial order sampling. Abstract schedules that showed a pair of write and read that was rare until
//! then are kept and varied. Here pairs that could happen, since both places use one object, are tried as well as those
//! that did; what the paper calls a read is any operation that depends on its object, a lock for example.

use super::priorities::{Priorities, Rank};
use super::reads_from::{Observer, Pair};
use super::{Decision, Dice, Divergence, Manner, Strategy, Turn};
use crate::model::execution::ThreadId;
use crate::model::op::Op;
use crate::model::schedule::Injection;

/// Constraints of an abstract schedule: at most.
const MOST_CONSTRAINTS: usize = 6;
/// Abstract schedules that are kept.
const MOST_KEPT: usize = 256;
/// Variations of a kept abstract schedule before the next one's turn: at most.
const MOST_VARIATIONS: u32 = 32;
/// One variation in so many removes a constraint.
const REMOVAL_ODDS: u64 = 5;
/// One new constraint in so many forbids its pair.
const NEGATIVE_ODDS: u64 = 4;
/// One execution in so many follows no constraint, as a look at what happens by itself.
const FREE_ODDS: u64 = 8;

/// That a read reads from a write, or that it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Constraint {
    pair: Pair,
    positive: bool,
    /// It came true in this execution, so it asks for nothing more.
    met: bool,
}

/// An abstract schedule that is varied.
#[derive(Clone, Debug)]
struct Kept {
    constraints: Vec<Constraint>,
    /// How often its turn came.
    turns: u32,
}

/// Follows abstract schedules.
pub struct Rff {
    dice: Dice,
    priorities: Priorities,
    observer: Observer,
    kept: Vec<Kept>,
    /// Whose turn it is, and how many variations it has left.
    turn: usize,
    variations: u32,
    /// Of this execution.
    constraints: Vec<Constraint>,
}

impl Rff {
    #[must_use]
    pub fn new() -> Self {
        let mut rff = Self {
            dice: Dice::new(0),
            priorities: Priorities::new(),
            observer: Observer::new(),
            kept: Vec::new(),
            turn: 0,
            variations: 0,
            constraints: Vec::with_capacity(MOST_CONSTRAINTS),
        };
        rff.forget();
        rff
    }

    /// Keeps what the last execution was asked for, if it showed something rare.
    fn learn(&mut self) {
        let news = self.observer.news();
        if news && !self.constraints.is_empty() && self.kept.len() < MOST_KEPT {
            let mut constraints = self.constraints.clone();
            // What never came true tells nothing of how the news came about.
            constraints.retain(|constraint| constraint.met || !constraint.positive);
            if !constraints.is_empty() && !self.kept.iter().any(|kept| kept.constraints == constraints) {
                self.kept.push(Kept { constraints, turns: 0 });
            }
        }
    }

    /// Chooses the abstract schedule of the execution that begins.
    fn vary(&mut self) {
        self.constraints.clear();
        if self.dice.one_in(FREE_ODDS) {
            return;
        }
        if self.variations == 0 {
            self.turn = (self.turn + 1) % self.kept.len();
            let kept = &mut self.kept[self.turn];
            // Exponentially more for what has been kept for long: news from it are rarer each time.
            self.variations = (2 << kept.turns.min(8)).min(MOST_VARIATIONS);
            kept.turns += 1;
        }
        self.variations -= 1;
        self.constraints.extend_from_slice(&self.kept[self.turn].constraints);
        for constraint in &mut self.constraints {
            constraint.met = false;
        }
        if !self.constraints.is_empty() && self.dice.one_in(REMOVAL_ODDS) {
            let place = self.dice.index(self.constraints.len());
            self.constraints.swap_remove(place);
        }
        let Some(pair) = self.observer.draw(&mut self.dice) else { return };
        let positive = !self.dice.one_in(NEGATIVE_ODDS);
        // One wish for each read; a new one replaces the old one.
        self.constraints.retain(|constraint| constraint.pair.read != pair.read);
        if self.constraints.len() == MOST_CONSTRAINTS {
            let place = self.dice.index(MOST_CONSTRAINTS);
            self.constraints.swap_remove(place);
        }
        self.constraints.push(Constraint { pair, positive, met: false });
    }

    /// What the constraints say of an operation that could be made now.
    fn rank(constraints: &[Constraint], observer: &Observer, pending: &Op) -> Rank {
        if constraints.is_empty() {
            return Rank::Usual;
        }
        let Some((site, written)) = observer.look(pending) else { return Rank::Usual };
        let mut rank = Rank::Usual;
        for constraint in constraints.iter().filter(|constraint| !constraint.met) {
            let Pair { write, read } = constraint.pair;
            let there = written == write;
            if site == read && pending.kind.reads() {
                match (constraint.positive, there) {
                    (true, true) => rank = Rank::Wanted,
                    (false, false) => {}
                    (true, false) | (false, true) => return Rank::Delayed,
                }
            } else if constraint.positive && there && pending.kind.changes() && observer.are_paired(site, read) {
                // It would overwrite what is to be read.
                return Rank::Delayed;
            }
        }
        rank
    }
}

impl Default for Rff {
    fn default() -> Self {
        Self::new()
    }
}

impl Strategy for Rff {
    fn forget(&mut self) {
        self.observer.forget();
        self.kept.clear();
        self.kept.push(Kept { constraints: Vec::new(), turns: 0 });
        self.turn = 0;
        self.variations = 0;
        self.constraints.clear();
    }

    fn begin(&mut self, seed: u64, _expected_points: u64) {
        self.dice = Dice::new(seed);
        self.learn();
        self.vary();
        self.observer.begin();
        self.priorities.begin(&mut self.dice);
    }

    fn manner(&self) -> Manner {
        Manner { watches: true, ..Manner::default() }
    }

    fn made(&mut self, thread: ThreadId, made: &Op) {
        if let Some(pair) = self.observer.made(thread, made) {
            for constraint in &mut self.constraints {
                constraint.met |= constraint.positive && constraint.pair == pair;
            }
        }
    }

    fn alone(&mut self) {
        self.observer.part_begins();
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        let (constraints, observer) = (&self.constraints, &self.observer);
        let rank = |pending: &Op| Self::rank(constraints, observer, pending);
        Ok(self.priorities.turn(decision, &mut self.dice, rank))
    }

    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence> {
        Ok(self.dice.index(waiters.len()))
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        Ok(self.dice.injection(options))
    }
}
