//! Why a schedule fails: the step after which nearly every continuation fails, found by sampling continuations from
//! prefixes of the schedule, and the two operations whose order decides.

use std::time::Instant;

use anyhow::Result;

use super::account::Account;
use super::decisive::{point_of, step_before};
use super::laboratory::Laboratory;
use super::minimise::Minimised;
use super::trials::{Samples, Series};
use crate::evidence::interleaving::Step;
use crate::model::execution::ThreadId;
use crate::model::schedule::{Choice, Schedule};
use crate::model::sketch::{Departure, Sketch};
use crate::model::splitmix::splitmix64;
use crate::strategy::Guide;

/// Continuations that are sampled from a prefix to draw it, and to be sure of the critical point.
const FEW: u64 = 12;
const MANY: u64 = 32;
/// Prefixes that are drawn, at most.
const MOST_PREFIXES: usize = 16;
/// A part of the continuations, of 100: so many fail after the critical point, and clearly fewer before it.
const NEARLY_ALL: u64 = 85;
const FEW_ENOUGH: u64 = 75;

/// How many of the continuations of a prefix fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance {
    /// Scheduling points in the prefix.
    pub points: u64,
    pub failed: u64,
    pub sampled: u64,
}

impl Chance {
    fn is_at_least(&self, percent: u64) -> bool {
        self.sampled > 0 && self.failed * 100 >= percent * self.sampled
    }
}

/// Why it fails, as far as that could be told.
pub struct Reasons {
    pub account: Account,
    /// Along the schedule.
    pub chances: Vec<Chance>,
    /// Just before the critical point and just after it.
    pub around: Option<(Chance, Chance)>,
    /// The step that is made last before nearly all continuations fail: an index of the steps.
    pub critical: Option<usize>,
    /// Two steps, in the order that fails.
    pub pair: Option<(usize, usize)>,
    /// The choice without which the execution passes, and the step that it was made before.
    pub change: Option<(Departure, Option<usize>)>,
    /// It fails whatever the order: without any departure.
    pub always: bool,
}

impl Reasons {
    /// The steps, of which those are marked that decide.
    #[must_use]
    pub fn marked(&self) -> Vec<Step> {
        let mut marked = self.account.steps.clone();
        if let Some(index) = self.critical.filter(|_| self.around.is_some()) {
            marked[index].mark = Some("critical point".to_owned());
        }
        for (index, why) in
            self.pair.iter().flat_map(|(first, second)| [(first, "comes first"), (second, "comes second")])
        {
            marked[*index].mark.get_or_insert_with(|| why.to_owned());
        }
        marked
    }
}

/// Looks into a schedule that was made small. `observe` is told of the samples made.
///
/// # Errors
/// A worker cannot do what it is asked.
pub fn reasons(
    laboratory: &mut Laboratory,
    minimised: &Minimised,
    deadline: Option<Instant>,
    mut observe: impl FnMut(u64),
) -> Result<Reasons> {
    let schedule = minimised.case.schedule.clone().unwrap_or_default();
    let ended = laboratory.replay(&minimised.case)?;
    let account = Account::of(laboratory, &ended, &minimised.case.report);
    let (points, steps) = (&account.points, &account.steps);
    let threads: Vec<ThreadId> = steps.iter().map(|step| step.thread).collect();
    let mut sampler = Sampler { laboratory, minimised, deadline, sampled: 0, observe: &mut observe };
    let ends = ends_of_runs(&schedule);
    let mut chances = sampler.chances(&thinned(&ends, MOST_PREFIXES), FEW)?;
    let around = sampler.around(&chances)?;
    if let Some((before, after)) = around {
        chances.extend([before, after].into_iter().filter(|chance| chance.points > 0));
        chances.sort_by_key(|chance| (chance.points, chance.sampled));
        chances.dedup_by(|later, earlier| {
            let is_same = later.points == earlier.points;
            if is_same {
                *earlier = *later;
            }
            is_same
        });
    }
    // The last decision of the prefix is made at its last point but one, and the operation that it lets happen comes then.
    let critical = around.and_then(|(_, after)| points.iter().rposition(|point| *point < after.points));
    let pair = critical.and_then(|critical| deciding(steps, critical));
    let change = sampler.change(around.map(|(_, after)| after.points), &schedule)?;
    let change = change.map(|departure| (departure, step_before(&threads, points, &schedule, &departure)));
    let always = minimised.guide.sketch.departures.is_empty();
    Ok(Reasons { account, chances, around, critical, pair, change, always })
}

/// Samples continuations.
struct Sampler<'a> {
    laboratory: &'a mut Laboratory,
    minimised: &'a Minimised,
    deadline: Option<Instant>,
    sampled: u64,
    observe: &'a mut dyn FnMut(u64),
}

impl Sampler<'_> {
    fn run(&mut self, guides: Vec<Guide>) -> Result<Vec<bool>> {
        let mut series = Series::Sample(Samples { guides, failed: Vec::new() });
        let Self { minimised, deadline, sampled, observe, .. } = self;
        let before = *sampled;
        self.laboratory.try_all(&minimised.case, &mut series, &minimised.wanted, *deadline, |series, _| {
            observe(before + series.tried());
        })?;
        self.sampled += series.tried();
        let Series::Sample(samples) = series else { unreachable!("it was one") };
        Ok(samples.failed)
    }

    /// What continuations of prefixes of so many points come to.
    fn chances(&mut self, prefixes: &[u64], each: u64) -> Result<Vec<Chance>> {
        let guide = &self.minimised.guide;
        let walks = |points: u64| {
            (0..each)
                .map(move |number| Guide { random: Some((points, splitmix64(number ^ points << 20))), ..guide.clone() })
        };
        let failed = self.run(prefixes.iter().flat_map(|points| walks(*points)).collect())?;
        let counted = prefixes.iter().zip(failed.chunks(each as usize));
        Ok(counted
            .map(|(points, failed)| Chance {
                points: *points,
                failed: failed.iter().filter(|failed| **failed).count() as u64,
                sampled: failed.len() as u64,
            })
            .collect())
    }

    /// The two prefixes, one point apart, between which nearly all continuations come to fail.
    fn around(&mut self, chances: &[Chance]) -> Result<Option<(Chance, Chance)>> {
        // From there on nearly all fail, taken together: each was sampled too seldom to be sure of it alone.
        let fail_from = |first: &usize| {
            let rest = || chances[*first..].iter();
            let (failed, sampled) =
                (rest().map(|chance| chance.failed).sum(), rest().map(|chance| chance.sampled).sum());
            chances[*first].is_at_least(FEW_ENOUGH)
                && Chance { failed, sampled, ..chances[*first] }.is_at_least(NEARLY_ALL)
        };
        let Some(first) = (0..chances.len()).find(fail_from) else { return Ok(None) };
        let (Some(low), high) = (first.checked_sub(1).and_then(|low| chances.get(low)), &chances[first]) else {
            return Ok(None);
        };
        let (mut low, mut high) = (*low, *high);
        while high.points - low.points > 1 {
            let middle = low.points + (high.points - low.points) / 2;
            let Some(chance) = self.chances(&[middle], MANY)?.first().copied() else { return Ok(None) };
            if chance.is_at_least(NEARLY_ALL) {
                high = chance;
            } else {
                low = chance;
            }
        }
        let [low, high] = self.chances(&[low.points, high.points], MANY)?[..] else { return Ok(None) };
        // Where it rises little by little, no step decides.
        Ok((high.is_at_least(NEARLY_ALL) && !low.is_at_least(FEW_ENOUGH)).then_some((low, high)))
    }

    /// The last departure before the critical point without which the execution passes.
    fn change(&mut self, critical: Option<u64>, schedule: &Schedule) -> Result<Option<Departure>> {
        let guide = &self.minimised.guide;
        let departures = &guide.sketch.departures;
        let without = |index: usize| {
            let mut left = departures.clone();
            left.remove(index);
            Guide { sketch: Sketch { departures: left }, ..guide.clone() }
        };
        let failed = self.run((0..departures.len()).map(without).collect())?;
        let passes = departures.iter().zip(failed).filter(|(_, failed)| !failed).map(|(departure, _)| *departure);
        let made_at = |departure: &Departure| point_of(schedule, departure);
        let is_before = |departure: &Departure| critical.is_none_or(|critical| made_at(departure) < Some(critical));
        let (before, after): (Vec<Departure>, Vec<Departure>) = passes.partition(is_before);
        Ok(before.last().or(after.first()).copied())
    }
}

/// How many points the execution has passed at the end of each run, and at its beginning.
fn ends_of_runs(schedule: &Schedule) -> Vec<u64> {
    let mut points = 0;
    let ends = schedule.choices.iter().map(|choice| {
        if let Choice::Run { points: run, .. } = choice {
            points += u64::from(*run);
        }
        points
    });
    let mut ends: Vec<u64> = std::iter::once(0).chain(ends.collect::<Vec<_>>()).collect();
    ends.dedup();
    ends
}

/// So many of them, with the first and the last.
fn thinned(all: &[u64], most: usize) -> Vec<u64> {
    let last = all.len().saturating_sub(1);
    let count = most.min(all.len());
    let mut thinned: Vec<u64> = (0..count).map(|index| all[index * last / count.saturating_sub(1).max(1)]).collect();
    thinned.dedup();
    thinned
}

/// The two steps whose order decides: the critical one, or what its thread did next without a switch, and the first one
/// after it by another thread on the same object, of which one changes it; or else the last one before it.
fn deciding(steps: &[Step], critical: usize) -> Option<(usize, usize)> {
    let conflict = |one: &Step, other: &Step| {
        one.thread != other.thread
            && !one.object.is_empty()
            && one.object == other.object
            && (one.kind.changes() || other.kind.changes())
    };
    let thread = steps[critical].thread;
    let end = (critical..steps.len()).find(|index| steps[*index].thread != thread).unwrap_or(steps.len());
    let begin = (0..critical).rev().find(|index| steps[*index].thread != thread).map_or(0, |before| before + 1);
    let own = |range: std::ops::Range<usize>| range.filter(|index| !steps[*index].kind.is_of_threads());
    let later = own(critical..end).chain(own(begin..critical).rev()).find_map(|index| {
        (end..steps.len()).find(|other| conflict(&steps[index], &steps[*other])).map(|other| (index, other))
    });
    let earlier = || {
        let before = |index: usize| (0..begin).rev().find(|other| conflict(&steps[index], &steps[*other]));
        own(critical..end).chain(own(begin..critical).rev()).find_map(|index| before(index).map(|other| (other, index)))
    };
    later.or_else(earlier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::op::OpKind;

    fn run(thread: u16, points: u32) -> Choice {
        Choice::Run { thread, points, digest: 0 }
    }

    fn step(thread: u16, kind: OpKind, object: &str) -> Step {
        Step { thread, kind, object: object.to_owned(), place: String::new(), note: None, mark: None }
    }

    #[test]
    fn the_order_that_decides_is_that_of_two_steps_on_one_object() {
        let lost_update = [
            step(1, OpKind::PlainLoad, "count"),
            step(2, OpKind::PlainLoad, "count"),
            step(2, OpKind::PlainStore, "count"),
            step(1, OpKind::PlainStore, "count"),
        ];
        assert_eq!(deciding(&lost_update, 1), Some((1, 3)), "it reads before the other writes");
        let freed = [step(1, OpKind::PlainStore, "freed"), step(2, OpKind::PlainLoad, "freed")];
        assert_eq!(deciding(&freed, 1), Some((0, 1)), "nothing comes after what ends the program");
        assert_eq!(deciding(&[step(1, OpKind::Yield, "")], 0), None);
    }

    #[test]
    fn runs_end_where_another_one_begins() {
        let schedule = Schedule { choices: vec![run(0, 5), run(1, 3), run(0, 4)], cut: false };
        assert_eq!(ends_of_runs(&schedule), [0, 5, 8, 12]);
    }

    #[test]
    fn prefixes_are_thinned_evenly_and_keep_both_ends() {
        let all: Vec<u64> = (0..100).collect();
        let thinned = thinned(&all, 5);
        assert_eq!(thinned, [0, 24, 49, 74, 99]);
        assert_eq!(super::thinned(&[0, 7], 16), [0, 7]);
        assert_eq!(super::thinned(&[0], 16), [0]);
    }
}
