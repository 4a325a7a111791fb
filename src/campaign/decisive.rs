//! Where threads stood when the choices were made that a small schedule needs. Findings of one bug end in many ways, above all
//! where memory is corrupted, but those places are in the component that the bug is in.
//!
//! It is a hint, so each finding keeps its case and its fingerprint: those that share a place are told to do so, and counted.

use std::collections::BTreeMap;

use super::account;
use super::supervisor::Ended;
use super::symbols::Symbols;
use crate::model::execution::ThreadId;
use crate::model::schedule::{Choice, Schedule};
use crate::model::sketch::{Action, Departure};
use crate::oracle::sanitizer::plain_name;

/// Stands in a report before the places.
const HEAD: &str = "decided in ";

/// The places of a replay that was explained, each once: files of a runtime, whose components those are; functions of a program.
/// Of preemptions, or, where there is none, of all other departures.
#[must_use]
pub fn places(ended: &Ended, symbols: &mut Symbols) -> Vec<String> {
    let steps = &ended.outcome.steps;
    let Some(schedule) = ended.found.as_ref().and_then(|found| found.schedule.as_ref()) else { return Vec::new() };
    let threads: Vec<ThreadId> = steps.iter().map(|step| step.thread).collect();
    let points: Vec<u64> = steps.iter().map(|step| step.point).collect();
    let departures = &ended.sketch.departures;
    let is_preemption = |departure: &&Departure| matches!(departure.action, Action::Preempt(_));
    let has_preemptions = departures.iter().any(|departure| is_preemption(&departure));
    let decide = departures.iter().filter(|departure| !has_preemptions || is_preemption(departure));
    let at: Vec<usize> = decide.filter_map(|departure| step_before(&threads, &points, schedule, departure)).collect();
    let of_program = ended.job.is_of_program();
    let told = at.iter().map(|index| &steps[*index]);
    let mut places: Vec<String> = account::places(told, &ended.job.target.object, symbols)
        .into_iter()
        .filter_map(|place| {
            let (line, function) = place.split_once(' ')?;
            let file = line.split(':').next()?.rsplit('/').next()?;
            Some(if of_program { plain_name(function) } else { file.to_owned() })
        })
        .filter(|place| !place.is_empty())
        .collect();
    places.sort();
    places.dedup();
    places
}

/// The line of a report that tells the places; empty if there are none.
#[must_use]
pub fn line(places: &[String]) -> String {
    if places.is_empty() { String::new() } else { format!("\n\n{HEAD}{}", places.join(", ")) }
}

/// The places that a report tells.
#[must_use]
pub fn read(report: &str) -> Vec<String> {
    let line = report.lines().rev().find_map(|line| line.strip_prefix(HEAD));
    line.map(|line| line.split(", ").map(str::to_owned).collect()).unwrap_or_default()
}

/// Findings that have a place in common, of which each stands once: as few places as tell of all that share one. A place counts for
/// more where a finding has few.
#[must_use]
pub fn shared(places: &[Vec<String>]) -> Vec<(String, Vec<usize>)> {
    /// Divisible by most numbers of places.
    const WHOLE: usize = 5040;
    let mut left: Vec<usize> = (0..places.len()).collect();
    let mut shared = Vec::new();
    loop {
        let mut weights: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for index in &left {
            for place in &places[*index] {
                let (weight, count) = weights.entry(place).or_default();
                *weight += WHOLE / places[*index].len();
                *count += 1;
            }
        }
        // Of several that weigh as much, the first by name.
        let heaviest = weights.iter().rev().filter(|(_, (_, count))| *count > 1).max_by_key(|(_, (weight, _))| *weight);
        let Some(place) = heaviest.map(|(place, _)| (*place).to_owned()) else { return shared };
        let (have, rest) = left.into_iter().partition(|index| places[*index].contains(&place));
        left = rest;
        shared.push((place, have));
    }
}

/// How many bugs there may be, where that is fewer than findings.
#[must_use]
pub fn count(places: &[Vec<String>]) -> Option<usize> {
    let saved: usize = shared(places).iter().map(|(_, members)| members.len() - 1).sum();
    (saved > 0).then_some(places.len() - saved)
}

/// At which point of the execution a departure is made.
#[must_use]
pub fn point_of(schedule: &Schedule, departure: &Departure) -> Option<u64> {
    let (mut points, mut own) = (0_u64, 0_u64);
    for choice in &schedule.choices {
        let Choice::Run { thread, points: run, .. } = choice else { continue };
        if *thread == departure.thread {
            if own + u64::from(*run) >= departure.points.into() {
                return Some(points + u64::from(departure.points).saturating_sub(own));
            }
            own += u64::from(*run);
        }
        points += u64::from(*run);
    }
    None
}

/// What the thread of a departure was about to do, which it did later, if ever: the index of a step, of which each is by one
/// of `threads` after so many `points`.
#[must_use]
pub fn step_before(threads: &[ThreadId], points: &[u64], schedule: &Schedule, departure: &Departure) -> Option<usize> {
    let at = point_of(schedule, departure)?;
    let is_next = |index: &usize| threads[*index] == departure.thread && points[*index] >= at;
    let is_last = |index: &usize| threads[*index] == departure.thread && points[*index] < at;
    match departure.action {
        Action::Preempt(_) => (0..threads.len()).find(is_next).or_else(|| (0..threads.len()).rev().find(is_last)),
        _ => (0..threads.len()).rev().find(is_last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_departure_is_made_where_its_thread_has_passed_its_points() {
        let run = |thread, points| Choice::Run { thread, points, digest: 0 };
        let schedule = Schedule { choices: vec![run(0, 5), run(1, 3), run(0, 4)], cut: false };
        let departure = |thread, points| Departure { thread, points, action: Action::Preempt(1) };
        let at = |thread, points| point_of(&schedule, &departure(thread, points));
        assert_eq!([at(0, 5), at(1, 3), at(0, 7), at(0, 99)], [Some(5), Some(8), Some(10), None]);
        let threads = [0, 1, 1, 0];
        assert_eq!(step_before(&threads, &[4, 5, 7, 8], &schedule, &departure(0, 5)), Some(3));
    }

    #[test]
    fn findings_share_as_few_places_as_tell_of_all_and_each_is_told_once() {
        let of = |places: &[&str]| places.iter().map(|place| (*place).to_owned()).collect::<Vec<_>>();
        let places = [
            of(&["queue"]),
            of(&["queue", "lock"]),
            of(&["lock", "queue", "timer"]),
            of(&["timer"]),
            of(&[]),
            of(&["x"]),
        ];
        assert_eq!(shared(&places), [("queue".to_owned(), vec![0, 1, 2])], "one that shares no place stands alone");
        let two = [of(&["a"]), of(&["a", "b"]), of(&["b"]), of(&["b", "c"])];
        assert_eq!(shared(&two), [("b".to_owned(), vec![1, 2, 3])]);
        assert_eq!(shared(&[of(&["a"]), of(&["b"])]), []);
    }

    #[test]
    fn bugs_are_counted_where_they_are_fewer_than_findings() {
        let of = |place: &str| vec![place.to_owned()];
        assert_eq!(count(&[of("a"), of("b"), of("a"), Vec::new()]), Some(3));
        assert_eq!(count(&[of("a"), of("b"), Vec::new(), Vec::new()]), None);
    }

    #[test]
    fn what_a_report_tells_is_read_as_it_was() {
        let places = vec!["queue.hpp".to_owned(), "app::Lock::lock".to_owned()];
        assert_eq!(read(&format!("deadlock: x{}\n\nfound in execution 7", line(&places))), places);
        assert!(line(&[]).is_empty() && read("deadlock: x").is_empty());
    }
}
