//! What a run over targets and regression cases came to, and what can be said of it.

use super::failed;
use crate::campaign::explorer::{self, Campaign};
use crate::campaign::findings::Finding;
use crate::campaign::interrupt;
use crate::campaign::replay::{Refused, Replayed};
use crate::model::settings::Engine;
use crate::target::bundled;

/// What was done.
pub struct Summary {
    /// The subcommand that did it.
    pub command: &'static str,
    pub regressions: Vec<Replayed>,
    /// Cases whose target could not be built.
    pub refused: Vec<Refused>,
    /// Cases of sanitizers that the job is not about.
    pub left_out: Vec<Replayed>,
    pub targets: Vec<Explored>,
    pub engine: Engine,
    pub seed: u64,
}

/// A target and what came of it.
pub struct Explored {
    pub name: String,
    pub campaign: Campaign,
    /// Or why there is nothing to tell: it could not be built or explored.
    pub outcome: Result<explorer::Summary, String>,
}

impl Summary {
    /// Of a subcommand that explores targets and replays no case.
    ///
    /// # Panics
    /// If there is no target.
    #[must_use]
    pub fn of(command: &'static str, targets: Vec<Explored>) -> Self {
        let (engine, seed) = (targets[0].campaign.engine, targets[0].campaign.seed);
        let (regressions, refused, left_out) = (Vec::new(), Vec::new(), Vec::new());
        Self { command, regressions, refused, left_out, targets, engine, seed }
    }

    /// Whether something is wrong with a target.
    #[must_use]
    pub fn found(&self) -> bool {
        self.targets.iter().any(|target| !target.findings().is_empty()) || self.regressions.iter().any(failed)
    }

    /// What came of the bundled runtime, where nothing else was explored.
    #[must_use]
    pub fn of_bundled_alone(&self) -> Option<&explorer::Summary> {
        match &self.targets[..] {
            [Explored { name, outcome: Ok(summary), .. }] if name == bundled::NAME => Some(summary),
            _ => None,
        }
    }

    /// Why nothing can be said of something although nothing was found in it.
    #[must_use]
    pub fn shortfall(&self) -> Option<String> {
        let missed = self.regressions.iter().filter(|case| !case.was_replayed()).count();
        let mut whys = Vec::new();
        if missed > 0 {
            whys.push(format!("{missed} of {} regression cases were not replayed", self.regressions.len()));
        }
        whys.extend(self.refused.iter().map(|refused| refused.why.clone()));
        let is_alone = self.of_bundled_alone().is_some();
        let of_target = |target: &Explored| {
            let why = target.shortfall()?;
            Some(if is_alone { why } else { format!("{}: {why}", target.name) })
        };
        whys.extend(self.targets.iter().filter_map(of_target));
        (!whys.is_empty()).then(|| whys.join("\n"))
    }
}

impl Explored {
    /// What came of it, and of what, if there is anything to tell.
    #[must_use]
    pub fn explored(&self) -> Option<(&explorer::Summary, &Campaign)> {
        self.outcome.as_ref().ok().map(|summary| (summary, &self.campaign))
    }

    /// Why it could not be explored, or not to the end.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        match &self.outcome {
            Err(why) => Some(why.clone()),
            Ok(summary) => summary.failure.as_ref().map(|error| format!("{error:#}")),
        }
    }

    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        self.outcome.as_ref().map_or(&[], |summary| &summary.findings)
    }

    /// Why nothing can be said of it although nothing was found.
    #[must_use]
    pub fn shortfall(&self) -> Option<String> {
        if let Some(failure) = self.failure() {
            return Some(failure);
        }
        let summary = self.outcome.as_ref().ok()?;
        let executions = summary.executions;
        if executions == 0 {
            let first = if self.campaign.is_of_program() { "schedule" } else { "task graph" };
            let why = if interrupt::requested() { "interrupted before" } else { "no time was left when" };
            return Some(format!("{why} the first {first} was executed; give more with `--budget`"));
        }
        if summary.interrupted {
            return Some(format!("interrupted after {executions} executions, so nothing is known of the rest"));
        }
        let incomparable: u64 = summary.cells.iter().flat_map(|cell| cell.incomparable.values()).sum();
        (incomparable >= executions).then(|| "no execution could be compared with the reference".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use crate::campaign::sample;

    #[test]
    fn a_finding_and_a_regression_both_count_as_found() {
        let mut summary = sample::summary();
        assert!(summary.found());
        sample::fuzz_of(&mut summary).findings.clear();
        assert!(summary.found(), "a regression case did something else");
        summary.regressions.pop();
        assert!(!summary.found());
        assert!(sample::project().found(), "in a program");
    }

    #[test]
    fn nothing_is_passed_that_did_not_happen() {
        let mut summary = sample::summary();
        assert_eq!(summary.shortfall(), None);
        sample::fuzz_of(&mut summary).cells[0].incomparable.values_mut().for_each(|count| *count = 30);
        assert!(summary.shortfall().is_some_and(|why| why.contains("compared")));
        sample::fuzz_of(&mut summary).executions = 0;
        assert!(summary.shortfall().is_some_and(|why| why.contains("--budget")));
        summary.regressions[0].seen.clear();
        assert!(summary.shortfall().is_some_and(|why| why.starts_with("1 of 2 regression cases")));
    }

    #[test]
    fn a_target_of_which_nothing_is_known_is_named() {
        let summary = sample::project();
        assert_eq!(summary.shortfall().as_deref(), Some("broken: broken does not compile"));
    }
}
