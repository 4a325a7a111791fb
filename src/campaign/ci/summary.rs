//! What a CI run came to, and what can be said of it.

use super::failed;
use crate::campaign::findings::Finding;
use crate::campaign::replay::{Refused, Replayed};
use crate::campaign::{check, fuzz, interrupt};
use crate::settings::Engine;
use crate::target::bundled;

/// What was done.
pub struct Summary {
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
    pub is_program: bool,
    pub outcome: Outcome,
}

pub enum Outcome {
    Runtime(fuzz::Summary),
    Program(check::Summary, Box<check::Campaign>),
    /// Why there is nothing to tell: it could not be built or explored.
    Failed(String),
}

impl Summary {
    /// Whether something is wrong with a target.
    #[must_use]
    pub fn found(&self) -> bool {
        self.targets.iter().any(|target| !target.findings().is_empty()) || self.regressions.iter().any(failed)
    }

    /// What came of the bundled runtime, where nothing else was explored.
    #[must_use]
    pub fn of_bundled_alone(&self) -> Option<&fuzz::Summary> {
        match &self.targets[..] {
            [Explored { name, outcome: Outcome::Runtime(summary), .. }] if name == bundled::NAME => Some(summary),
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
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match &self.outcome {
            Outcome::Runtime(summary) => &summary.findings,
            Outcome::Program(summary, _) => &summary.findings,
            Outcome::Failed(_) => &[],
        }
    }

    /// Why nothing can be said of it although nothing was found.
    #[must_use]
    pub fn shortfall(&self) -> Option<String> {
        let (failure, is_interrupted, executions) = match &self.outcome {
            Outcome::Failed(why) => return Some(why.clone()),
            Outcome::Runtime(summary) => (&summary.failure, summary.interrupted, summary.executions),
            Outcome::Program(summary, _) => (&summary.failure, summary.interrupted, summary.executions),
        };
        if let Some(failure) = failure {
            return Some(format!("{failure:#}"));
        }
        if executions == 0 {
            let first = if self.is_program { "schedule" } else { "task graph" };
            let why = if interrupt::requested() { "interrupted before" } else { "no time was left when" };
            return Some(format!("{why} the first {first} was executed; give more with `--budget`"));
        }
        if is_interrupted {
            return Some(format!("interrupted after {executions} executions, so nothing is known of the rest"));
        }
        let Outcome::Runtime(summary) = &self.outcome else { return None };
        let incomparable: u64 = summary.cells.iter().flat_map(|cell| cell.incomparable.values()).sum();
        (incomparable >= executions).then(|| "no execution could be compared with the reference".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use crate::report::sample;

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
