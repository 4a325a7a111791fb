//! Other schedules of a case that fail in the same way, from which a smaller one may be reached: leaving out of one schedule what it does
//! not need ends where nothing more can be left out, which need not be the fewest preemptions that there are.

use std::time::Instant;

use anyhow::Result;

use crate::campaign::findings;
use crate::campaign::job::{Executed, Program, Replay, Slice, Work};
use crate::campaign::laboratory::Laboratory;
use crate::case::{Case, Workload};

/// Schedules that are made for one that fails.
const SCHEDULES: u64 = 500;

/// The case with another schedule, the `number`th of those that are looked for; `None` if none failed in the same way.
///
/// # Errors
/// The workers cannot do what they are asked.
pub fn again(laboratory: &mut Laboratory, case: &Case, number: u64, deadline: Instant) -> Result<Option<Case>> {
    let work = |limit_ms| match &case.workload {
        // Not those from 0 on, one of which it may be itself.
        Workload::TaskGraph(_) => {
            let from = (number + 1) * SCHEDULES;
            Work::Replay(Replay { from, times: SCHEDULES, explains: false })
        }
        Workload::Check(check) => {
            let seed = case.settings.seed.wrapping_add(number + 1);
            let slice = Slice::to_measure(Executed::Program(Program::of(check)), seed, 0, SCHEDULES);
            Work::Explore(Slice { limit_ms: Some(limit_ms), ..slice })
        }
    };
    let Some(ended) = laboratory.search(case, work, deadline)? else { return Ok(None) };
    let cases = ended.earlier.into_iter().chain(ended.found).filter_map(|found| {
        let found = found.as_in(case)?;
        Some(findings::case_of(found, &case.settings, case.workload.clone()))
    });
    Ok(cases.into_iter().find(|other| other.fingerprint == case.fingerprint && other.schedule.is_some()))
}
