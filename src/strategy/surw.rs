//! The selectively uniform random walk: every order of a few interesting operations is equally likely.
//!
//! Zhao, Wolff, Mathur, Roychoudhury: "Selectively Uniform Concurrency Testing" (ASPLOS 2025). Of all operations some
//! are interesting: those on one object that several threads use, drawn anew for each execution (or, now and then, all
//! on such objects). The thread that makes the next one is drawn with the odds of how many each still has to make;
//! until it has, the others run at random but make none. What a thread's descendants will make counts as its own until
//! it creates them. How many each makes is taken from the execution before, so the first walks blindly.

use super::family::{Family, Member};
use super::{Decision, Dice, Divergence, Manner, Numbering, Strategy, Turn};
use crate::model::execution::ThreadId;
use crate::model::op::Op;
use crate::model::schedule::Injection;

/// One execution in so many takes all shared objects as interesting.
const ALL_ODDS: u64 = 4;
/// One decision in so many considers letting a time-out happen although somebody can run.
const TIME_OUT_ODDS: u64 = 16;
/// Operations of an execution that are remembered, so that an endless one does not fill the memory.
const MOST_REMEMBERED: usize = 1 << 18;

/// Objects that are told apart.
const MOST_OBJECTS: usize = 1 << 16;

/// What is known of an object.
#[derive(Clone, Copy, Debug)]
struct Object {
    first: Member,
    shared: bool,
    changed: bool,
    /// Whether operations on it are interesting now.
    interesting: bool,
}

/// Draws who makes the next interesting operation.
pub struct Surw {
    dice: Dice,
    family: Family,
    objects: Numbering,
    known: Vec<Object>,
    /// Who made an operation on which object, in the last execution and in this one.
    made: Vec<(Member, u32)>,
    /// By member: interesting operations to come, its own and its descendants', in an execution like the last.
    expected: Vec<u64>,
    /// The same of each thread of this execution, of what is left.
    left: Vec<u64>,
    /// The thread that makes the next interesting operation.
    intended: Option<ThreadId>,
}

impl Surw {
    #[must_use]
    pub fn new() -> Self {
        Self {
            dice: Dice::new(0),
            family: Family::new(),
            objects: Numbering::new(),
            known: Vec::new(),
            made: Vec::new(),
            expected: Vec::new(),
            left: Vec::new(),
            intended: None,
        }
    }

    /// Draws what is interesting in the execution that begins.
    fn select(&mut self) {
        for object in &mut self.known {
            object.interesting = false;
        }
        let candidates = self.known.iter().filter(|object| object.shared && object.changed).count() as u64;
        let all = self.dice.one_in(ALL_ODDS);
        let drawn = self.dice.below(candidates) as usize;
        let candidates = self.known.iter_mut().filter(|object| object.shared && object.changed);
        for (place, object) in candidates.enumerate() {
            object.interesting = all || place == drawn;
        }
    }

    /// Counts what each member and its descendants made of that in the last execution.
    fn expect(&mut self) {
        self.expected.clear();
        self.expected.resize(self.family.parents().len(), 0);
        for &(member, object) in &self.made {
            self.expected[member as usize] += u64::from(self.known[object as usize].interesting);
        }
        // Children have higher numbers than their parents.
        for member in (1..self.expected.len()).rev() {
            let parent = self.family.parents()[member];
            self.expected[parent as usize] += self.expected[member];
        }
    }

    fn is_interesting(&self, pending: &Op) -> bool {
        counts(pending)
            && self.objects.get(pending.object as u64).is_some_and(|object| self.known[object as usize].interesting)
    }

    /// New threads take over what their parents were expected to have them do.
    fn welcome(&mut self, count: usize) {
        while let Some((parent, child)) = self.family.next_birth(count) {
            let expected = self.expected.get(self.family.member(child) as usize).copied().unwrap_or_default();
            self.left.push(expected);
            let left = &mut self.left[usize::from(parent)];
            // If the parent was drawn, it was for one of its own operations or of those that it hands over.
            if self.intended == Some(parent) && self.dice.below(*left) < expected {
                self.intended = Some(child);
            }
            *left = left.saturating_sub(expected);
        }
    }

    /// Draws who makes the next interesting operation; nobody if nobody is expected to make one.
    fn intend(&mut self, decision: &Decision<'_>) -> Option<ThreadId> {
        let total: u64 = decision.runnable.iter().map(|thread| self.left[usize::from(thread)]).sum();
        let mut drawn = self.dice.below(total);
        decision.runnable.iter().find(|&thread| {
            let left = self.left[usize::from(thread)];
            let here = drawn < left;
            drawn = drawn.saturating_sub(left);
            here
        })
    }
}

/// Whether an operation may be interesting.
fn counts(pending: &Op) -> bool {
    pending.object != 0 && !pending.kind.is_of_threads()
}

impl Default for Surw {
    fn default() -> Self {
        Self::new()
    }
}

impl Strategy for Surw {
    fn forget(&mut self) {
        self.family.forget();
        self.objects.clear();
        self.known.clear();
        self.made.clear();
    }

    fn begin(&mut self, seed: u64, _expected_points: u64) {
        self.dice = Dice::new(seed);
        self.select();
        self.expect();
        self.made.clear();
        self.family.begin();
        self.left.clear();
        self.left.push(self.expected[0]);
        self.intended = None;
    }

    fn manner(&self) -> Manner {
        Manner { watches: true, ..Manner::default() }
    }

    fn made(&mut self, thread: ThreadId, made: &Op) {
        self.welcome(usize::from(thread) + 1);
        self.family.made(thread, made);
        if !counts(made) {
            return;
        }
        let Some(object) = self.objects.number_within(made.object as u64, MOST_OBJECTS) else { return };
        let member = self.family.member(thread);
        if object as usize == self.known.len() {
            self.known.push(Object { first: member, shared: false, changed: false, interesting: false });
        }
        let known = &mut self.known[object as usize];
        known.shared |= known.first != member;
        known.changed |= made.kind.changes();
        if known.interesting {
            let left = &mut self.left[usize::from(thread)];
            *left = left.saturating_sub(1);
            self.intended = None;
        }
        if self.made.len() < MOST_REMEMBERED {
            self.made.push((member, object));
        }
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        self.welcome(decision.pending.len());
        let sleeping = decision.sleeping;
        if !sleeping.is_empty() && (decision.runnable.is_empty() || self.dice.one_in(TIME_OUT_ODDS)) {
            let index = self.dice.index(sleeping.len());
            return Ok(Turn { thread: sleeping[index].thread, points: 1 });
        }
        if !self.intended.is_some_and(|thread| decision.runnable.contains(thread)) {
            self.intended = self.intend(decision);
        }
        let intended = self.intended;
        // One pass over the threads: the n-th candidate takes the place of the one before with odds of 1 in n.
        let mut chosen = None;
        let mut candidates = 0;
        for thread in decision.runnable.iter() {
            let pending = &decision.pending[usize::from(thread)];
            let waits = intended.is_some_and(|intended| intended != thread) && self.is_interesting(pending);
            if !waits && !pending.kind.yields() {
                candidates += 1;
                if self.dice.one_in(candidates) {
                    chosen = Some(thread);
                }
            }
        }
        // Only threads that yield or wait for the intended one: anyone.
        let anyone = |dice: &mut Dice| {
            let runnable = decision.runnable;
            runnable.at(dice.index(runnable.len()))
        };
        Ok(Turn { thread: chosen.unwrap_or_else(|| anyone(&mut self.dice)), points: 1 })
    }

    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence> {
        Ok(self.dice.index(waiters.len()))
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        Ok(self.dice.injection(options))
    }
}
