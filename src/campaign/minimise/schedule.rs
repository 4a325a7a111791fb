//! Makes the schedule of a case small: fewest preemptions first, then fewest other departures from never preempting anyone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::again::again;
use super::reducer::Reducer;
use crate::campaign::account;
use crate::campaign::decisive;
use crate::campaign::findings;
use crate::campaign::interrupt;
use crate::campaign::laboratory::Laboratory;
use crate::campaign::replay::Seen;
use crate::campaign::supervisor::Ended;
use crate::campaign::trials::{Series, Wanted};
use crate::case::Case;
use crate::model::execution::ThreadId;
use crate::model::schedule::{Choice, Schedule};
use crate::model::settings::Engine;
use crate::model::verdict::Verdict;
use crate::strategy::Guide;

/// Preemptions that most bugs need at most; where there are more, other schedules are made small, so many of them.
const FEW: usize = 3;
const OTHERS: u64 = 8;
/// How long one is looked for where no time is set.
const LONGEST_SEARCH: Duration = Duration::from_secs(60);

/// How large a schedule is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// Switches away from a thread that could have gone on and did not wait for others in a loop.
    pub preemptions: usize,
    pub switches: usize,
    pub points: u64,
}

impl Size {
    fn of(schedule: &Schedule, preemptions: usize) -> Self {
        let mut threads: Vec<_> = schedule
            .choices
            .iter()
            .filter_map(|choice| match choice {
                Choice::Run { thread, .. } => Some(*thread),
                Choice::Wake { .. } | Choice::Inject { .. } | Choice::Older { .. } => None,
            })
            .collect();
        threads.dedup();
        Self { preemptions, switches: threads.len().saturating_sub(1), points: schedule.points() }
    }
}

/// What became of a schedule.
pub struct Minimised {
    /// The case with the smaller schedule, replayed in a fresh worker, or as it was.
    pub case: Case,
    /// What happened in it, step by step, of a program.
    pub explanation: String,
    /// How it fails.
    pub wanted: Wanted,
    pub before: Size,
    pub after: Size,
    /// Schedules that were tried.
    pub tried: u64,
    /// No single departure can be left out. Otherwise time was up, or there is a reason why nothing was tried.
    pub is_smallest: bool,
    /// Where the choices are made that it needs.
    pub decided: Vec<String>,
    /// What executes it without the schedule being recorded.
    pub guide: Guide,
}

/// How far it is.
pub struct Minimising {
    pub tried: u64,
    pub preemptions: usize,
    pub departures: usize,
}

/// Makes the schedule small within a time, and calls `observe` now and then. On Ctrl-C it gives what it has come to, which is
/// a case that can be made smaller still. Where it comes to more preemptions than most bugs need, others are made small too.
///
/// # Errors
/// The case has no schedule, hangs, or does not replay; the workers cannot do what they are asked.
pub fn minimise(
    laboratory: &mut Laboratory,
    case: &Case,
    limit: Option<Duration>,
    mut observe: impl FnMut(&Minimising),
) -> Result<Minimised> {
    let deadline = limit.map(|limit| Instant::now() + limit);
    let mut best = reduce(laboratory, case, deadline, &mut observe)?;
    let mut number = 0;
    while best.is_smallest && best.after.preemptions > FEW && number < OTHERS && !interrupt::requested() {
        let until = deadline.unwrap_or_else(|| Instant::now() + LONGEST_SEARCH);
        let other = again(laboratory, case, number, until)?;
        number += 1;
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            break;
        }
        let Some(other) = other else { continue };
        // It failed once, and that need not be the schedule's doing alone.
        let Ok(reduced) = reduce(laboratory, &other, deadline, &mut observe) else { continue };
        let tried = best.tried + reduced.tried;
        if reduced.after < best.after && reduced.case.fingerprint == best.case.fingerprint {
            best = Minimised { before: best.before, ..reduced };
        }
        best.tried = tried;
    }
    Ok(best)
}

/// Makes one schedule small.
fn reduce(
    laboratory: &mut Laboratory,
    case: &Case,
    deadline: Option<Instant>,
    observe: &mut impl FnMut(&Minimising),
) -> Result<Minimised> {
    if case.settings.engine == Engine::Free || case.schedule.is_none() {
        bail!("the case has no schedule to make small: it was recorded without control");
    }
    if case.verdict == Verdict::Hang {
        bail!(
            "the case hangs, so each schedule that is tried would have to be ended from outside; it is left as it is"
        );
    }
    let first = laboratory.replay(case)?;
    let Some(found) = first.found.clone().and_then(|found| found.as_in(case)) else {
        bail!("replayed, the case {}; `threadbare replay` says more", Seen::of(&first));
    };
    let wanted = Wanted::of(&found.failures[0]);
    let size_of = |ended: &Ended| {
        let schedule = ended.found.as_ref().and_then(|found| found.schedule.clone()).unwrap_or_default();
        Size::of(&schedule, ended.sketch.preemptions())
    };
    let before = size_of(&first);
    let mut taken: Vec<(Schedule, Guide)> = Vec::new();
    let mut series = Series::Reduce(Reducer::new(first.sketch.clone()).with_places(&passed_in(&first)));
    laboratory.try_all(case, &mut series, &wanted, deadline, |series, schedule| {
        if let Series::Reduce(reducer) = series {
            let guide = reducer.kept();
            let (preemptions, departures) = (guide.sketch.preemptions(), guide.sketch.departures.len());
            observe(&Minimising { tried: reducer.tried(), preemptions, departures });
            taken.extend(schedule.map(|schedule| (schedule, guide)));
        }
    })?;
    let Series::Reduce(reducer) = series else { unreachable!("it was one") };
    let (tried, is_smallest) = (reducer.tried(), reducer.is_done() && reducer.has_failed());
    // The last one may owe its failure to what the process executed before it.
    for (schedule, guide) in taken.into_iter().rev() {
        let smaller = Case { schedule: Some(schedule), ..case.clone() };
        let ended = laboratory.replay(&smaller)?;
        let after = size_of(&ended);
        if wanted.is_shown_by(&ended) && after <= before {
            let decided = decisive::places(&ended, laboratory.symbols());
            let (case, explanation) = evident(laboratory, case, ended);
            return Ok(Minimised { case, explanation, wanted, before, after, tried, is_smallest, decided, guide });
        }
    }
    let guide = reducer.kept();
    let (case, explanation) = (case.clone(), String::new());
    let decided = decisive::places(&first, laboratory.symbols());
    Ok(Minimised { case, explanation, wanted, before, after: before, tried, is_smallest: false, decided, guide })
}

/// Points that each thread passed.
fn passed_in(ended: &Ended) -> BTreeMap<ThreadId, u32> {
    let mut passed = BTreeMap::new();
    for choice in ended.found.iter().flat_map(|found| &found.schedule).flat_map(|schedule| &schedule.choices) {
        if let Choice::Run { thread, points, .. } = *choice {
            let sum: &mut u32 = passed.entry(thread).or_default();
            *sum = sum.saturating_add(points);
        }
    }
    passed
}

/// The case of a replay that failed, and what happened in it.
fn evident(laboratory: &mut Laboratory, case: &Case, ended: Ended) -> (Case, String) {
    let Ended { job, outcome, found, .. } = ended;
    let Some(found) = found.and_then(|found| found.as_in(case)) else { return (case.clone(), String::new()) };
    let mut smaller = findings::case_of(found, &case.settings, case.workload.clone());
    // Of a task graph the events say more.
    let steps = if job.is_of_program() { &outcome.steps[..] } else { &[] };
    let explanation = account::interleaving(steps, &job.target.object, laboratory.symbols(), &smaller.report);
    if !explanation.is_empty() {
        smaller.report.push_str(&format!("\n\n{}", explanation.trim_end()));
    }
    (smaller, explanation)
}
