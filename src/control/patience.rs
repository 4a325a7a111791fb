//! How long a thread stays in a loop that waits for others, as one decision.
//!
//! Code that waits often gives up after a number of rounds, and goes to sleep or fails. What lies behind such a loop is
//! reached only if nobody else runs meanwhile, which no strategy does that decides anew in each round. So at a pause, a
//! yield or the second round of a loop, the thread may be let go on until it leaves the loop, for a number of points with
//! a heavy tail. How often that happens is drawn for each execution, from its seed alone; some always hand over.

use crate::model::execution::ThreadId;
use crate::model::op::{Op, OpKind};
use crate::strategy::{Dice, ThreadSet};

/// Keeps the draws apart from what strategies draw from the same seed.
const DRAW: u64 = 0x7061_7469_656e_6365;
/// Different operations of a round, at most.
const LONGEST_ROUND: usize = 8;

/// Places of loops that are remembered.
const MOST_PLACES: usize = 8;
/// A stay ends by handing over once in so many times: what the thread saw may be true no more when it acts on it.
const HAND_OVER_ODDS: u64 = 2;

/// What an execution has for its threads to wait with.
#[derive(Clone, Copy)]
struct Mood {
    /// A thread that could stay hands over all the same once in so many times.
    odds: u64,
    /// One of these is drawn for each stay, in points.
    stays: [u32; 3],
    /// Points of all stays together, at most.
    points: u32,
}

/// Drawn with equal odds. A round is one to four points, so the longest stays are a hundred rounds and more.
const MOODS: [Mood; 8] = [IMPATIENT, IMPATIENT, BRIEF, BRIEF, LONG, LONG, LONG, LONG];
const IMPATIENT: Mood = Mood { odds: 1, stays: [0; 3], points: 0 };
/// Enough to pass a yield, or the rounds that the C++ library spins before it sleeps.
const BRIEF: Mood = Mood { odds: 2, stays: [1, 1, 64], points: 128 };
const LONG: Mood = Mood { odds: 8, stays: [64, 1_024, 1_024], points: 2_048 };

/// Whose stay it is, and what is known of the loop.
#[derive(Clone, Copy)]
struct Stay {
    thread: ThreadId,
    points: u32,
    /// The operations met so far; nothing joins them once the first came back.
    round: [Op; LONGEST_ROUND],
    count: usize,
    closed: bool,
}

/// The operations that a thread was last seen at, none of which changes anything for certain.
#[derive(Clone, Copy)]
struct Recent {
    seen: [Op; LONGEST_ROUND],
    count: usize,
    /// A bit for each of them, of 64 that are shared: most operations are new, which is seen without a look at each.
    bits: u64,
}

/// The bit of an operation in `Recent`.
fn bit(op: &Op) -> u64 {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    1 << (((op.object ^ op.place) as u64 ^ op.kind as u64).wrapping_mul(SPREAD) >> 58)
}

impl Recent {
    fn forget(&mut self) {
        (self.count, self.bits) = (0, 0);
    }

    fn holds(&self, op: &Op) -> bool {
        self.bits & bit(op) != 0 && self.seen[..self.count.min(LONGEST_ROUND)].contains(op)
    }

    fn add(&mut self, op: &Op) {
        self.seen[self.count % LONGEST_ROUND] = *op;
        self.count += 1;
        self.bits |= bit(op);
    }
}

pub(super) struct Patience {
    /// By thread; what is there of earlier executions is not looked at.
    recent: Vec<Recent>,
    seed: u64,
    /// Made of it when somebody waits, which few executions come to.
    dice: Option<Dice>,
    mood: Mood,
    /// Points that are left for stays.
    left: u32,
    stay: Option<Stay>,
    /// Places in the code where loops of this execution were seen to wait; they wait when they are met again.
    places: [usize; MOST_PLACES],
    known: usize,
}

impl Patience {
    pub fn new() -> Self {
        let recent = vec![Recent { seen: [Op::NOTHING; LONGEST_ROUND], count: 0, bits: 0 }; ThreadSet::CAPACITY];
        let places = [0; MOST_PLACES];
        Self { recent, seed: 0, dice: None, mood: IMPATIENT, left: 0, stay: None, places, known: 0 }
    }

    /// A new execution; `varies` if its threads may stay at all.
    pub fn begin(&mut self, seed: u64, varies: bool) {
        (self.seed, self.dice) = (seed ^ DRAW, None);
        self.mood = if varies { MOODS[Dice::first_below(self.seed, MOODS.len() as u64) as usize] } else { IMPATIENT };
        self.left = self.mood.points;
        self.stay = None;
        self.known = 0;
    }

    /// That thread begins, and was seen nowhere yet.
    pub fn add_thread(&mut self, thread: ThreadId) {
        self.recent[usize::from(thread)].forget();
    }

    /// Whether `thread`, about to do that, waits for others: it says so, or did the same before and nothing else since.
    pub fn has_come_back(&mut self, thread: ThreadId, pending: &Op) -> bool {
        let recent = &mut self.recent[usize::from(thread)];
        if !pending.kind.may_spin() {
            recent.forget();
            return false;
        }
        if pending.kind.yields() || self.places[..self.known].contains(&pending.place) {
            return true;
        }
        if recent.holds(pending) {
            if pending.place != 0 && self.known < MOST_PLACES {
                self.places[self.known] = pending.place;
                self.known += 1;
            }
            return true;
        }
        recent.add(pending);
        false
    }

    /// Somebody may be let stay.
    #[inline]
    pub fn is_left(&self) -> bool {
        self.left > 0
    }

    fn dice(&mut self) -> &mut Dice {
        self.dice.get_or_insert_with(|| {
            let mut dice = Dice::new(self.seed);
            dice.any(); // The mood.
            dice
        })
    }

    /// Whether `thread`, which waits in a loop and is about to do that, stays there from now on.
    pub fn grant(&mut self, thread: ThreadId, pending: &Op) -> bool {
        let mood = self.mood;
        if self.left == 0 || self.dice().one_in(mood.odds) {
            return false;
        }
        let drawn = mood.stays[self.dice().index(mood.stays.len())];
        let points = drawn.min(self.left);
        self.left -= points;
        let mut round = [Op::NOTHING; LONGEST_ROUND];
        round[0] = *pending;
        self.stay = Some(Stay { thread, points: points - 1, round, count: 1, closed: false });
        true
    }

    /// Whether there is a stay, of whomever.
    #[inline]
    pub fn is_staying(&self) -> bool {
        self.stay.is_some()
    }

    /// Whether the stay of `thread` lasts, now that it is about to do that.
    pub fn lasts(&mut self, thread: ThreadId, pending: &Op) -> bool {
        let lasts = self.stay.as_mut().is_some_and(|stay| stay.thread == thread && stay.takes(pending));
        if !lasts {
            self.end();
        }
        lasts
    }

    /// Whether a thread whose stay has just ended lets others go first.
    pub fn hands_over(&mut self) -> bool {
        self.dice().one_in(HAND_OVER_ODDS)
    }

    /// The stay is over; the points that it did not take are there for others.
    pub fn end(&mut self) {
        self.left += self.stay.take().map_or(0, |stay| stay.points);
    }
}

impl Stay {
    /// Whether this belongs to the loop, and there are points left for it.
    fn takes(&mut self, pending: &Op) -> bool {
        if self.points == 0 {
            return false;
        }
        self.points -= 1;
        // Loops change from pauses to yields, and pause more often each time; that is waiting all the same.
        if pending.kind.yields() {
            return true;
        }
        let known = self.round[..self.count].contains(pending);
        // A round that changes anything but a lock is none that waits.
        let joins = !self.closed
            && self.count < LONGEST_ROUND
            && (pending.kind.may_spin() || matches!(pending.kind, OpKind::Lock | OpKind::Unlock));
        self.closed |= known;
        if !known && joins {
            self.round[self.count] = *pending;
            self.count += 1;
        }
        known || joins
    }
}
