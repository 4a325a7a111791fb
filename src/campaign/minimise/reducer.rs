//! Delta debugging of a schedule: takes away departures from never preempting anyone, in ever smaller groups, for as long
//! as the execution fails as before (after Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::execution::ThreadId;
use crate::model::sketch::{Action, Departure, Sketch};
use crate::strategy::Guide;

/// What is left once nothing can be taken away may still have several preemptions where one elsewhere would do. So each
/// preemption that is possible is tried alone, and then each two, unless that takes more tries than this.
const MOST_FEW: u64 = 4_000;

/// Patience that is tried, from the shortest execution to the one that is most like any recorded one.
const PATIENCE: [u32; 3] = [2, 16, 4_096];

/// What is to be tried next, and what is known of what was. It makes no choice by itself, so whoever knows how many tries
/// came to what knows where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reducer {
    kept: Sketch,
    /// Places where a thread can be preempted, and by whom.
    places: Vec<Departure>,
    /// The index in `PATIENCE`.
    patience: usize,
    stage: Stage,
    tried: u64,
    /// The last try that failed as before; none while the schedule itself did not.
    taken: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Stage {
    /// The whole sketch, to see that it fails.
    Whole,
    /// Departures of a class without the group that begins there.
    Without {
        class: Class,
        size: usize,
        start: usize,
        progress: bool,
    },
    /// One or two preemptions and nothing else: that many, the one of that number.
    Few {
        count: usize,
        number: u64,
    },
    Done,
}

/// Preemptions go first: they are what a reader must understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Class {
    Preemptions,
    Others,
}

impl Class {
    fn has(self, departure: &Departure) -> bool {
        let preempts = matches!(departure.action, Action::Preempt(_) | Action::Inject(_) | Action::Older(_));
        preempts == (self == Self::Preemptions)
    }
}

impl Reducer {
    #[must_use]
    pub fn new(sketch: Sketch) -> Self {
        Self { kept: sketch, places: Vec::new(), patience: 0, stage: Stage::Whole, tried: 0, taken: None }
    }

    /// Where preemptions are tried that the sketch has not: in an execution in which threads pass so many points.
    #[must_use]
    pub fn with_places(mut self, points: &BTreeMap<ThreadId, u32>) -> Self {
        let count: u64 = points.values().map(|&points| u64::from(points)).sum::<u64>() * points.len() as u64;
        if count <= MOST_FEW {
            let places = points.iter().flat_map(|(&thread, &most)| (1..=most).map(move |points| (thread, points)));
            let others = |thread| points.keys().copied().filter(move |other| *other != thread);
            let preempted = |(thread, points)| {
                others(thread).map(move |other| Departure { thread, points, action: Action::Preempt(other) })
            };
            self.places = places.flat_map(preempted).collect();
        }
        self
    }

    /// What is tried next; nothing if it is done.
    #[must_use]
    pub fn next(&self) -> Option<Guide> {
        let sketch = match self.stage {
            Stage::Whole => self.kept.clone(),
            Stage::Without { class, size, start, .. } => self.without(class, size, start),
            Stage::Few { count, number } => self.few(count, number),
            Stage::Done => return None,
        };
        Some(Guide { sketch, patience: PATIENCE[self.patience], random: None })
    }

    /// The last try failed as before, or not.
    pub fn told(&mut self, failed: bool) {
        if failed {
            self.taken = Some(self.tried);
        }
        self.tried += 1;
        self.stage = match self.stage {
            Stage::Whole if failed => self.begin(Class::Preemptions),
            Stage::Whole if self.patience + 1 < PATIENCE.len() => {
                self.patience += 1;
                Stage::Whole
            }
            Stage::Whole | Stage::Done => Stage::Done,
            Stage::Few { count, number } if failed => {
                self.kept = self.few(count, number);
                Stage::Done
            }
            Stage::Few { count, number } => self.few_from(count, number + 1),
            Stage::Without { class, size, start, progress } => {
                if failed {
                    self.kept = self.without(class, size, start);
                    self.group(class, size, start, true)
                } else {
                    self.group(class, size, start + size, progress)
                }
            }
        };
    }

    /// The group that begins at `start`, or what comes after the last.
    fn group(&self, class: Class, size: usize, start: usize, progress: bool) -> Stage {
        let count = self.count(class);
        if start < count {
            return Stage::Without { class, size, start, progress };
        }
        match (size, class) {
            (2.., _) => self.without_groups_of(class, (size / 2).min(count)),
            // What could not be left out before may be by now.
            (_, Class::Preemptions) if progress => self.without_groups_of(class, count.min(1)),
            (_, Class::Preemptions) => self.begin(Class::Others),
            (_, Class::Others) if progress => self.begin(Class::Preemptions),
            (_, Class::Others) => self.few_from(1, 0),
        }
    }

    /// So many preemptions from that number on, as long as that is fewer than there are.
    fn few_from(&self, count: usize, number: u64) -> Stage {
        let places = self.places.len() as u64;
        let all = if count == 1 { places } else { places * places };
        if count > 2 || count >= self.kept.preemptions() || all > MOST_FEW {
            Stage::Done
        } else if number < all {
            Stage::Few { count, number }
        } else {
            self.few_from(count + 1, 0)
        }
    }

    fn few(&self, count: usize, number: u64) -> Sketch {
        let places = self.places.len() as u64;
        let chosen = [number / places, number % places];
        let skipped = if count == 1 { 1 } else { 0 };
        Sketch { departures: chosen[skipped..].iter().map(|&place| self.places[place as usize]).collect() }
    }

    fn begin(&self, class: Class) -> Stage {
        self.without_groups_of(class, self.count(class))
    }

    fn without_groups_of(&self, class: Class, size: usize) -> Stage {
        match (size, class) {
            (0, Class::Preemptions) => self.begin(Class::Others),
            (0, Class::Others) => self.few_from(1, 0),
            _ => Stage::Without { class, size, start: 0, progress: false },
        }
    }

    fn count(&self, class: Class) -> usize {
        self.kept.departures.iter().filter(|departure| class.has(departure)).count()
    }

    fn without(&self, class: Class, size: usize, start: usize) -> Sketch {
        let mut index = 0;
        let keeps = |departure: &&Departure| {
            let place = index;
            index += usize::from(class.has(departure));
            !class.has(departure) || !(start..start + size).contains(&place)
        };
        Sketch { departures: self.kept.departures.iter().filter(keeps).copied().collect() }
    }

    /// What is left.
    #[must_use]
    pub fn kept(&self) -> Guide {
        Guide { sketch: self.kept.clone(), patience: PATIENCE[self.patience], random: None }
    }

    /// How much was tried.
    #[must_use]
    pub fn tried(&self) -> u64 {
        self.tried
    }

    /// Whether anything failed as before.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.taken.is_some()
    }

    #[must_use]
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(count: u32) -> Sketch {
        let action = |index| if index % 3 == 0 { Action::Follow(1) } else { Action::Preempt(1) };
        Sketch {
            departures: (0..count).map(|index| Departure { thread: 0, points: index, action: action(index) }).collect(),
        }
    }

    /// What is left of so many departures if an execution fails as long as these are there.
    fn reduced(count: u32, needed: &[u32]) -> (Vec<u32>, u64) {
        let mut reducer = Reducer::new(sketch(count));
        while let Some(guide) = reducer.next() {
            let has = |needed: &u32| guide.sketch.departures.iter().any(|departure| departure.points == *needed);
            reducer.told(needed.iter().all(has));
        }
        (reducer.kept().sketch.departures.iter().map(|departure| departure.points).collect(), reducer.tried())
    }

    #[test]
    fn what_the_failure_needs_is_left_and_nothing_else() {
        for needed in [&[][..], &[0], &[79], &[7, 8], &[0, 40, 79], &[3, 4, 5, 6, 7]] {
            let (left, tried) = reduced(80, needed);
            assert_eq!(left, needed);
            assert!(tried < 120, "{needed:?} took {tried}");
        }
    }

    #[test]
    fn fewer_preemptions_elsewhere_are_found_where_there_are_few_places() {
        let mut reducer = Reducer::new(sketch(6)).with_places(&BTreeMap::from([(0, 4), (1, 4)]));
        while let Some(guide) = reducer.next() {
            let departures = &guide.sketch.departures;
            let elsewhere = departures.len() == 1 && departures[0].thread == 1 && departures[0].points == 3;
            reducer.told(elsewhere || guide.sketch.preemptions() >= 3);
        }
        let kept = reducer.kept().sketch;
        assert_eq!(kept.departures, [Departure { thread: 1, points: 3, action: Action::Preempt(0) }]);
    }

    #[test]
    fn a_schedule_that_does_not_fail_is_tried_with_more_patience_and_then_left_as_it_is() {
        let mut reducer = Reducer::new(sketch(5));
        let patience: Vec<u32> = std::iter::from_fn(|| {
            let guide = reducer.next()?;
            reducer.told(false);
            Some(guide.patience)
        })
        .collect();
        assert_eq!(patience, PATIENCE);
        assert!(reducer.is_done() && !reducer.has_failed());
    }
}
