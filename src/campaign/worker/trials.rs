//! A worker that tries variations of a case's schedule.

use std::time::Duration;

use anyhow::Result;

use super::Runner;
use crate::campaign::job::Program;
use crate::campaign::trials::{Trials, Tried};
use crate::case::{Case, Workload};
use crate::control::Mode;
use crate::model::verdict::{Judgement, Verdict};
use crate::process;

/// Tries after which what they printed is thrown away, if it is much.
const STDERR_LOOKS: u64 = 64;

impl Runner {
    /// Tries one after the other for as long as the process survives them. What it does not survive is left for the
    /// supervisor to tell.
    pub(super) fn try_all(&mut self, trials: &Trials, case: &Case) -> Result<()> {
        let mut loaded = match &case.workload {
            Workload::TaskGraph(graph) => self.load(graph.clone()),
            Workload::Check(check) => self.load_program(&Program::of(check))?,
        };
        if let Some(schedule) = &case.schedule {
            loaded.expect_like(schedule, case.verdict == Verdict::Livelock);
        }
        let Trials { series, wanted, limit_ms } = trials;
        let limit = limit_ms.map(Duration::from_millis);
        let mut tried = Tried { series: series.clone(), schedule: None };
        self.unchecked = series.tried();
        while let Some(guide) = tried.series.next()
            && limit.is_none_or(|limit| self.started.elapsed() < limit)
        {
            let number = tried.series.tried();
            let ran = loaded.execute(&mut self.session, number, Mode::Guided(&guide), &self.tally.known, false);
            let survives = ran.is_of_program && ran.is_intact && ran.reports == 0;
            let is_wrong = matches!(ran.judgement, Judgement::Wrong(_)) || ran.reports > 0;
            if is_wrong && !survives {
                self.tally.outcome.tried = Some(tried);
                let _ = self.tally.take(number, ran);
                return Ok(());
            }
            if wanted.needs_leak_check() && self.leaks(number + 1) {
                break;
            }
            self.tally.outcome.executions += 1;
            self.tally.outcome.points += ran.points;
            let failed = matches!(&ran.judgement, Judgement::Wrong(failure) if wanted.is(failure));
            tried.series.told(failed);
            if failed {
                tried.schedule = ran.evidence.and_then(|evidence| evidence.schedule);
                self.tally.outcome.tried = Some(tried.clone());
                self.tally.keep();
            }
            if self.session.is_spent() {
                break;
            }
            if !ran.is_of_program && number.is_multiple_of(STDERR_LOOKS) {
                process::shorten_output();
            }
        }
        self.tally.outcome.tried = Some(tried);
        Ok(())
    }
}
