//! A schedule that no longer fits goes on: its departures from never preempting anyone are made wherever they still can be
//! (`model::sketch`).

use crate::campaign::job::{Divergence, Work};
use crate::campaign::supervisor::Ended;
use crate::campaign::trials::{Samples, Series, Trials, Wanted};
use crate::case::Case;
use crate::model::sketch::Sketch;
use crate::strategy::Guide;

/// Rounds of a loop that waits, after which others go first: as in most executions that are found.
const PATIENCE: u32 = 16;

/// Executes the departures of a case's schedule.
pub(super) fn work(case: &Case) -> Work {
    let sketch = case.schedule.as_ref().map(|schedule| Sketch::of(schedule, &[])).unwrap_or_default();
    let guides = vec![Guide { sketch, patience: PATIENCE, random: None }];
    let series = Series::Sample(Samples { guides, failed: Vec::new() });
    Work::Try(Trials { series, wanted: Wanted::as_in(case), limit_ms: None })
}

/// The divergence, and what became of it.
pub(super) fn told(divergence: Divergence, case: &Case, ended: &Ended) -> Divergence {
    let survived = ended.outcome.tried.as_ref().is_some_and(|tried| match &tried.series {
        Series::Sample(samples) => samples.failed.contains(&true),
        Series::Reduce(_) => false,
    });
    let fails = survived || Wanted::as_in(case).is_shown_by(ended);
    let how = if fails { "it fails as before" } else { "it does not fail as before" };
    Divergence { why: format!("{}; going on from there, {how}", divergence.why), ..divergence }
}
