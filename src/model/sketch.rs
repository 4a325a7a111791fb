//! A schedule as the few choices by which it departs from never preempting anyone: what is made small, and what still
//! means something where the program does other things than when it was recorded.
//!
//! Who is not told otherwise goes on for as long as it can, then the next thread that can, by number, and if there is none
//! whoever's time-out comes first. A departure belongs to a thread and to the number of points that this thread has passed,
//! not to those of all threads, so that it stays in its place when others are taken away. One whose place is never reached,
//! or that cannot be made there, is passed over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::execution::ThreadId;
use super::schedule::{Choice, Injection, Schedule};

/// Departures in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch {
    pub departures: Vec<Departure>,
}

/// Once `thread` has passed `points` points, this happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    pub thread: ThreadId,
    pub points: u32,
    pub action: Action,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Another thread runs, although this one could go on.
    Preempt(ThreadId),
    /// This one goes on, of those that can, since the one that ran cannot, or gives way.
    Follow(ThreadId),
    /// Of several waiters, this one is woken.
    Wake(ThreadId),
    Inject(Injection),
    /// Its operation is on a store that is so many older than the newest.
    Older(u16),
}

impl Action {
    /// The thread that runs next, if that is what is chosen.
    #[must_use]
    pub fn runs(self) -> Option<ThreadId> {
        match self {
            Self::Preempt(thread) | Self::Follow(thread) => Some(thread),
            Self::Wake(_) | Self::Inject(_) | Self::Older(_) => None,
        }
    }
}

impl Sketch {
    /// That of a schedule; `preempts` tells of each choice whether it ended a run that could have gone on.
    #[must_use]
    pub fn of(schedule: &Schedule, preempts: &[bool]) -> Self {
        let mut passed: BTreeMap<ThreadId, u32> = BTreeMap::new();
        let mut departures = Vec::new();
        // The thread that ran last, and whether it was preempted.
        let mut last: Option<(ThreadId, bool)> = None;
        for (index, choice) in schedule.choices.iter().enumerate() {
            let preempted = preempts.get(index).copied().unwrap_or_default();
            let of = |last: ThreadId, action| {
                let points = passed.get(&last).copied().unwrap_or_default();
                Departure { thread: last, points, action }
            };
            match *choice {
                Choice::Run { thread, points, .. } => {
                    match last {
                        Some((before, preempted)) if before != thread => {
                            let action = if preempted { Action::Preempt(thread) } else { Action::Follow(thread) };
                            departures.push(of(before, action));
                        }
                        Some(_) | None => {}
                    }
                    // Nobody vouches for the numbers of a file.
                    let own = passed.entry(thread).or_default();
                    *own = own.saturating_add(points);
                    last = Some((thread, preempted));
                }
                Choice::Wake { thread } => {
                    let (waker, _) = last.unwrap_or_default();
                    departures.push(of(waker, Action::Wake(thread)));
                }
                Choice::Inject { injection } => {
                    let (running, _) = last.unwrap_or_default();
                    departures.push(of(running, Action::Inject(injection)));
                }
                Choice::Older { by } => {
                    let (running, _) = last.unwrap_or_default();
                    departures.push(of(running, Action::Older(by)));
                }
            }
        }
        Self { departures }
    }

    /// How many of them preempt a thread.
    #[must_use]
    pub fn preemptions(&self) -> usize {
        self.departures.iter().filter(|departure| matches!(departure.action, Action::Preempt(_))).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(thread: ThreadId, points: u32) -> Choice {
        Choice::Run { thread, points, digest: 0 }
    }

    #[test]
    fn departures_stand_at_the_points_of_their_own_threads() {
        let wake = Choice::Wake { thread: 2 };
        let schedule =
            Schedule { choices: vec![run(0, 5), run(1, 3), run(0, 2), wake, run(0, 4), run(2, 1)], cut: false };
        let sketch = Sketch::of(&schedule, &[true, false, false, false, false, false]);
        let departure = |thread, points, action| Departure { thread, points, action };
        let expected = [
            departure(0, 5, Action::Preempt(1)),
            departure(1, 3, Action::Follow(0)),
            departure(0, 7, Action::Wake(2)),
            departure(0, 11, Action::Follow(2)),
        ];
        assert_eq!(sketch.departures, expected);
        assert_eq!(sketch.preemptions(), 1);
    }
}
