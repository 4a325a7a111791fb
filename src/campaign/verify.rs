//! Judges a fix: the schedule that failed, its neighbourhood, and a search that is longer than the one that found it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::job::{Executed, Program, Replay, Slice, Work};
use super::laboratory::Laboratory;
use super::replay::Seen;
use super::trials::{Samples, Series, Wanted};
use crate::case::{Case, Workload};
use crate::model::sketch::{Departure, Sketch};
use crate::model::verdict::Verdict;
use crate::strategy::Guide;

/// How far a departure is moved: a fix adds or takes away a few points.
const FARTHEST: i64 = 8;
/// Random walks after each part of the schedule.
const WALKS: u64 = 8;
const PATIENCE: u32 = 16;
/// The search is so many times as long as the one that found the case, and at least so long.
const TIMES: u64 = 10;
const SHORTEST: u64 = 1_000;

/// What a case that failed comes to now.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    /// What the old schedule does now; where it does not fit, what it does when it goes on from there.
    pub replayed: Replayed,
    /// Schedules near the old one, and how many of them failed in any way.
    pub neighbours: u64,
    pub failed: u64,
    /// Executions of the search, and what it found.
    pub searched: u64,
    pub found: Option<String>,
    /// Executions of the search that found the case, if the case says so.
    pub before: Option<u64>,
    /// Time was up, or Ctrl-C came, before all of it was done.
    pub is_cut: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Replayed {
    Passes,
    /// What it showed.
    Fails(String),
    /// Why it no longer fits, and whether it fails when it goes on from there, where it departs from never preempting anyone
    /// as it did.
    GoesOn {
        why: String,
        fails: bool,
    },
}

impl Verified {
    /// Whether anything failed.
    #[must_use]
    pub fn fails(&self) -> bool {
        let replay_fails = match &self.replayed {
            Replayed::Passes => false,
            Replayed::Fails(_) => true,
            Replayed::GoesOn { fails, .. } => *fails,
        };
        replay_fails || self.failed > 0 || self.found.is_some()
    }
}

/// Judges, with a search of so many executions or else of ten times those that found the case. `observe` is told how many
/// schedules were tried near the old one.
///
/// # Errors
/// The case has no schedule or is clean; a worker cannot do what it is asked.
pub fn verify(
    laboratory: &mut Laboratory,
    case: &Case,
    executions: Option<u64>,
    limit: Duration,
    mut observe: impl FnMut(u64),
) -> Result<Verified> {
    anyhow::ensure!(case.verdict != Verdict::Clean, "the case is clean, so there is no fix of it to judge");
    let schedule = case.schedule.as_ref().context("the case has no schedule, so it was recorded without control")?;
    let deadline = Instant::now() + limit;
    let sketch = Sketch::of(schedule, &[]);
    let ended = laboratory.replay(case)?;
    let seen = Seen::of(&ended);
    let any = Wanted::anything();
    let replayed = match &seen {
        Seen::Failed(_) => Replayed::Fails(seen.to_string()),
        Seen::Diverged(divergence) => {
            let on = Guide { sketch: sketch.clone(), patience: PATIENCE, random: None };
            let failed = tries(laboratory, case, vec![on], &any, deadline, |_| {})?;
            let why = format!("at step {}: {}", divergence.step, divergence.why);
            Replayed::GoesOn { why, fails: failed.contains(&true) }
        }
        Seen::Clean | Seen::Incomparable(_) => Replayed::Passes,
    };
    let guides = neighbours(&sketch, schedule.points());
    let planned = guides.len();
    let failed = tries(laboratory, case, guides, &any, deadline, &mut observe)?;
    let before = found_in(&case.report);
    let wanted = executions.unwrap_or_else(|| before.map_or(SHORTEST, |before| (before * TIMES).max(SHORTEST)));
    let is_cut = failed.len() < planned;
    let (neighbours, failed) = (failed.len() as u64, failed.iter().filter(|failed| **failed).count() as u64);
    let mut verified = Verified { replayed, neighbours, failed, searched: 0, found: None, before, is_cut };
    if !verified.fails() {
        let ended = laboratory.search(case, |limit_ms| searching(case, wanted, limit_ms), deadline)?;
        verified.searched = ended.as_ref().map_or(0, |ended| ended.outcome.executions);
        let found = ended.as_ref().and_then(|ended| ended.found.as_ref().or(ended.earlier.first()));
        verified.found = found.map(|found| Seen::Failed(found.failures.clone()).to_string());
        verified.is_cut |= verified.searched < wanted && verified.found.is_none();
    }
    Ok(verified)
}

fn tries(
    laboratory: &mut Laboratory,
    case: &Case,
    guides: Vec<Guide>,
    wanted: &Wanted,
    deadline: Instant,
    mut observe: impl FnMut(u64),
) -> Result<Vec<bool>> {
    let mut series = Series::Sample(Samples { guides, failed: Vec::new() });
    laboratory.try_all(case, &mut series, wanted, Some(deadline), |series, _| observe(series.tried()))?;
    let Series::Sample(samples) = series else { unreachable!("it was one") };
    Ok(samples.failed)
}

/// The same departures; with each of them, and with all from it on, moved by a few points of its thread; and a random walk
/// after each part of the schedule.
fn neighbours(sketch: &Sketch, points: u64) -> Vec<Guide> {
    let moved = |departure: &Departure, by: i64| {
        let points = i64::from(departure.points) + by;
        Departure { points: points.clamp(1, i64::from(u32::MAX)) as u32, ..*departure }
    };
    let with = |chosen: &dyn Fn(usize) -> bool, by: i64| {
        let departures = sketch.departures.iter().enumerate();
        let departures = departures.map(|(index, one)| if chosen(index) { moved(one, by) } else { *one }).collect();
        Guide { sketch: Sketch { departures }, patience: PATIENCE, random: None }
    };
    let mut guides = vec![with(&|_| false, 0)];
    for place in 0..sketch.departures.len() {
        for by in (-FARTHEST..=FARTHEST).filter(|by| *by != 0) {
            guides.push(with(&|index| index == place, by));
            guides.push(with(
                &|index| index >= place && sketch.departures[index].thread == sketch.departures[place].thread,
                by,
            ));
        }
    }
    let parts = (sketch.departures.len() as u64 + 1).min(points.max(1));
    for (part, seed) in (0..parts).flat_map(|part| (0..WALKS).map(move |seed| (part, seed))) {
        guides.push(Guide { random: Some((points * part / parts, seed)), ..with(&|_| false, 0) });
    }
    guides
}

fn searching(case: &Case, count: u64, limit_ms: u64) -> Work {
    match &case.workload {
        Workload::TaskGraph(_) => Work::Replay(Replay { from: 0, times: count, explains: false }),
        Workload::Check(check) => {
            // Other schedules than those that were tried before.
            let seed = case.settings.seed.wrapping_add(1);
            let slice = Slice::to_measure(Executed::Program(Program::of(check)), seed, 0, count);
            Work::Explore(Slice { limit_ms: Some(limit_ms), ..slice })
        }
    }
}

/// How a case says how long it took to find it.
pub const FOUND_IN: &str = "found in execution ";

fn found_in(report: &str) -> Option<u64> {
    report.lines().rev().find_map(|line| line.strip_prefix(FOUND_IN))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sketch::Action;

    #[test]
    fn the_neighbourhood_moves_each_departure_and_keeps_the_schedule_itself() {
        let departure = |points| Departure { thread: 1, points, action: Action::Preempt(2) };
        let sketch = Sketch { departures: vec![departure(20), departure(40)] };
        let guides = neighbours(&sketch, 100);
        assert_eq!(guides[0].sketch, sketch);
        let places = |guide: &Guide| guide.sketch.departures.iter().map(|one| one.points).collect::<Vec<_>>();
        let all: Vec<Vec<u32>> = guides.iter().map(places).collect();
        for wanted in [[20, 39], [21, 40], [21, 41], [12, 32]] {
            assert!(all.contains(&wanted.to_vec()), "{wanted:?}");
        }
        let walks: Vec<u64> = guides.iter().filter_map(|guide| Some(guide.random?.0)).collect();
        assert_eq!((walks.len(), walks.iter().max()), (24, Some(&66)));
    }

    #[test]
    fn a_case_says_how_long_it_took_to_find_it() {
        assert_eq!(found_in("deadlock: x\n\nfound in execution 45"), Some(45));
        assert_eq!(found_in("deadlock: x"), None);
    }
}
