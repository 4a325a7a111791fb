//! Guided: a schedule's departures from never preempting anyone, for as long as they fit (`model::sketch`), and where asked
//! for a random walk after a part of them.

use serde::{Deserialize, Serialize};

use super::{Decision, Divergence, Manner, Random, Stores, Strategy, Turn};
use crate::model::execution::ThreadId;
use crate::model::op::Op;
use crate::model::schedule::Injection;
use crate::model::sketch::{Action, Sketch};

/// What an execution is guided by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guide {
    pub sketch: Sketch,
    /// Rounds of a loop that waits for others, after which these go first.
    pub patience: u32,
    /// After so many points of the execution a random walk of this seed goes on.
    pub random: Option<(u64, u64)>,
}

/// Follows a [`Guide`]. It never diverges.
pub struct Guided {
    guide: Guide,
    /// Departures that were made.
    made: Vec<bool>,
    /// No departure before this one is left to be made.
    first: usize,
    /// Who runs, and how many points each thread has passed.
    thread: ThreadId,
    passed: Vec<u32>,
    /// Points of the execution when it was last asked.
    asked_at: u64,
    /// It was asked at the point of which it is told next.
    just_asked: bool,
    walk: Option<(Random, Stores)>,
    expected_points: u64,
}

impl Guided {
    #[must_use]
    pub fn new(guide: Guide) -> Self {
        let made = vec![false; guide.sketch.departures.len()];
        Self {
            guide,
            made,
            first: 0,
            thread: 0,
            passed: Vec::new(),
            asked_at: 0,
            just_asked: false,
            walk: None,
            expected_points: 0,
        }
    }

    /// The points that the running thread has passed.
    fn passed(&mut self) -> &mut u32 {
        let index = usize::from(self.thread);
        if self.passed.len() <= index {
            self.passed.resize(index + 1, 0);
        }
        &mut self.passed[index]
    }

    /// Makes the first departure that is to be made here and that `fits`.
    fn depart<T>(&mut self, fits: impl Fn(Action) -> Option<T>) -> Option<T> {
        let (thread, points) = (self.thread, *self.passed());
        while self.made.get(self.first) == Some(&true) {
            self.first += 1;
        }
        for index in self.first..self.made.len() {
            let departure = self.guide.sketch.departures[index];
            if !self.made[index]
                && (departure.thread, departure.points) == (thread, points)
                && let Some(fitting) = fits(departure.action)
            {
                self.made[index] = true;
                return Some(fitting);
            }
        }
        None
    }

    /// The random walk, if it is its turn.
    fn walk(&mut self) -> Option<&mut (Random, Stores)> {
        let (after, seed) = self.guide.random?;
        if self.asked_at < after {
            return None;
        }
        let expected_points = self.expected_points;
        Some(self.walk.get_or_insert_with(|| {
            let mut walk = Random::new();
            walk.begin(seed, expected_points);
            (walk, Stores::new(seed))
        }))
    }
}

impl Strategy for Guided {
    fn begin(&mut self, _seed: u64, expected_points: u64) {
        self.made.fill(false);
        self.first = 0;
        self.thread = 0;
        self.passed.clear();
        self.asked_at = 0;
        self.just_asked = false;
        self.walk = None;
        self.expected_points = expected_points;
    }

    fn manner(&self) -> Manner {
        Manner {
            watches: true,
            lets_stay: false,
            patience: self.guide.patience,
            draws_stores: false,
            ..Manner::default()
        }
    }

    /// Threads that are alone pass points without a question.
    fn made(&mut self, _thread: ThreadId, _made: &Op) {
        if !std::mem::take(&mut self.just_asked) {
            *self.passed() += 1;
            self.asked_at += 1;
        }
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        *self.passed() += (decision.points - self.asked_at) as u32;
        self.asked_at = decision.points;
        self.just_asked = true;
        if let Some((walk, _)) = self.walk() {
            let turn = walk.choose(decision)?;
            self.thread = turn.thread;
            return Ok(turn);
        }
        let can_run = |thread: ThreadId| {
            let mut sleepers = decision.sleeping.iter();
            decision.runnable.contains(thread) || sleepers.any(|sleeper| sleeper.thread == thread)
        };
        let departure = self.depart(|action| action.runs().filter(|&thread| can_run(thread)));
        let thread = departure.unwrap_or_else(|| without_preempting(decision, self.thread));
        self.thread = thread;
        Ok(Turn { thread, points: 1 })
    }

    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence> {
        if let Some((walk, _)) = self.walk() {
            return walk.pick(waiters);
        }
        let place = |action| match action {
            Action::Wake(thread) => waiters.iter().position(|&waiter| waiter == thread),
            _ => None,
        };
        Ok(self.depart(place).unwrap_or_default())
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        if let Some((walk, _)) = self.walk() {
            return walk.inject(options);
        }
        Ok(self.depart(|action| match action {
            Action::Inject(injection) => options.contains(&injection).then_some(injection),
            _ => None,
        }))
    }

    fn older(&mut self, stores: u16) -> Result<u16, Divergence> {
        if let Some((_, drawn)) = self.walk() {
            return Ok(drawn.draw(stores));
        }
        let by = self.depart(|action| match action {
            Action::Older(by) => (by < stores).then_some(by),
            _ => None,
        });
        Ok(by.unwrap_or_default())
    }
}

/// Who goes on where nobody says otherwise; `last` ran last.
fn without_preempting(decision: &Decision<'_>, last: ThreadId) -> ThreadId {
    let earliest = || decision.sleeping.iter().min_by_key(|sleeper| sleeper.deadline).map(|sleeper| sleeper.thread);
    let next = || decision.runnable.after(last);
    decision.current.or_else(next).or_else(earliest).expect("the caller gives at least one thread")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sketch::Departure;
    use crate::strategy::ThreadSet;

    fn decision<'a>(current: Option<ThreadId>, runnable: &'a ThreadSet, points: u64) -> Decision<'a> {
        let (yielding, pending, sleeping, now, digest) = (false, &[][..], &[][..], 0, 0);
        Decision { current, yielding, runnable, pending, sleeping, now, points, digest }
    }

    #[test]
    fn a_departure_is_made_at_its_threads_own_point_and_passed_over_where_it_cannot_be() {
        let departure = |thread, points, next| Departure { thread, points, action: Action::Preempt(next) };
        let sketch = Sketch { departures: vec![departure(0, 2, 1), departure(1, 1, 7)] };
        let mut guided = Guided::new(Guide { sketch, patience: 1, random: None });
        let mut both = ThreadSet::default();
        both.insert(0);
        both.insert(1);
        guided.begin(0, 0);
        let mut ask = |current, points| guided.choose(&decision(current, &both, points)).expect("never").thread;
        assert_eq!(ask(Some(0), 1), 0);
        assert_eq!(ask(Some(0), 2), 1, "it is preempted at its second point");
        assert_eq!(ask(Some(1), 3), 1, "there is no thread 7");
        assert_eq!(ask(None, 4), 0, "it can go on no more");
        assert_eq!(ask(Some(0), 5), 0, "and the first departure was made");
    }
}
