//! The one job of a CI run: replays the regression cases, then explores for the rest of the time.
#![forbid(unsafe_code)]

use std::time::Instant;

use anyhow::Result;

use super::fuzz::{self, Campaign, Progress};
use super::interrupt;
use super::replay::{self, Conclusion, Replayed};
use crate::settings::Engine;
use crate::target::{self, Workshop};

/// What is to be done.
pub struct Ci {
    /// `None` if there are no cases.
    pub regressions: Option<replay::Plan>,
    /// Its seconds are those of the whole job.
    pub campaign: Campaign,
}

/// What was done.
pub struct Summary {
    pub regressions: Vec<Replayed>,
    /// Cases of sanitizers that the job is not about.
    pub left_out: Vec<Replayed>,
    pub fuzz: fuzz::Summary,
    pub engine: Engine,
    pub seed: u64,
}

impl Ci {
    /// Does it, or as much as it gets to before Ctrl-C.
    ///
    /// # Errors
    /// A case or an executable cannot be had, the findings cannot be written, or a worker cannot do what it is asked.
    pub fn run(
        &self,
        workshop: &Workshop,
        fall_back: impl Fn(Engine) -> Engine,
        mut observe: impl FnMut(&Progress<'_>),
    ) -> Result<Summary> {
        let (mut regressions, left_out) = match &self.regressions {
            Some(plan) => {
                let all = plan.read_all(workshop, fall_back)?;
                all.into_iter().partition(|case| self.campaign.sanitizers.contains(&case.settings.sanitizer))
            }
            None => (Vec::new(), Vec::new()),
        };
        // The time is for executing.
        let target = workshop.runtime(&self.campaign.subject, self.campaign.fault.as_deref())?;
        let explored = self.campaign.sanitizers.iter().map(|sanitizer| (target.clone(), *sanitizer));
        let replayed = regressions.iter().map(|case| (case.target.clone(), case.settings.sanitizer));
        let begun = Instant::now();
        let mut building = |progress: &target::Progress| {
            observe(&Progress::of_building(begun.elapsed(), progress));
            !interrupt::requested()
        };
        workshop.build_all(explored.chain(replayed).collect::<Vec<_>>(), &mut building)?;
        let started = Instant::now();
        if let Some(plan) = &self.regressions {
            plan.replay(workshop, &mut regressions, building)?;
        }
        let rest = |seconds: u64| seconds.saturating_sub(started.elapsed().as_secs());
        let campaign = Campaign { seconds: self.campaign.seconds.map(rest), ..self.campaign.clone() };
        let fuzz = campaign.run(workshop, &mut observe)?;
        Ok(Summary { regressions, left_out, fuzz, engine: campaign.engine, seed: campaign.seed })
    }
}

impl Summary {
    /// Whether something is wrong with the subject.
    #[must_use]
    pub fn found(&self) -> bool {
        !self.fuzz.findings.is_empty() || self.regressions.iter().any(failed)
    }

    /// Why nothing can be said although nothing was found.
    #[must_use]
    pub fn shortfall(&self) -> Option<String> {
        let missed = self.regressions.iter().filter(|case| !case.was_replayed()).count();
        let incomparable: u64 = self.fuzz.cells.iter().flat_map(|cell| cell.incomparable.values()).sum();
        if missed > 0 {
            return Some(format!("{missed} of {} regression cases were not replayed", self.regressions.len()));
        }
        if self.fuzz.interrupted && self.fuzz.executions > 0 {
            return Some(format!(
                "interrupted after {} executions, so nothing is known of the rest",
                self.fuzz.executions
            ));
        }
        if self.fuzz.executions == 0 {
            let why = if interrupt::requested() { "interrupted before" } else { "no time was left when" };
            return Some(format!("{why} the first program was executed; give more with `--minutes`"));
        }
        (incomparable >= self.fuzz.executions).then(|| "no execution could be compared with the reference".to_owned())
    }
}

/// Whether a case that was replayed did not do what it promises.
#[must_use]
pub fn failed(case: &Replayed) -> bool {
    matches!(case.conclusion, Conclusion::Diverged(_) | Conclusion::Unexpected)
}

#[cfg(test)]
mod tests {
    use crate::report::sample;

    #[test]
    fn a_finding_and_a_regression_both_count_as_found() {
        let mut summary = sample::summary();
        assert!(summary.found());
        summary.fuzz.findings.clear();
        assert!(summary.found(), "a regression case did something else");
        summary.regressions.pop();
        assert!(!summary.found());
    }

    #[test]
    fn nothing_is_passed_that_did_not_happen() {
        let mut summary = sample::summary();
        assert_eq!(summary.shortfall(), None);
        summary.fuzz.cells[0].incomparable.values_mut().for_each(|count| *count = 30);
        assert!(summary.shortfall().is_some_and(|why| why.contains("compared")));
        summary.fuzz.executions = 0;
        assert!(summary.shortfall().is_some_and(|why| why.contains("--minutes")));
        summary.regressions[0].seen.clear();
        assert!(summary.shortfall().is_some_and(|why| why.starts_with("1 of 2 regression cases")));
    }
}
