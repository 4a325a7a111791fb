//! Executions that are tried one after the other, in one process for as long as it survives them: what a worker executes and
//! a supervisor goes on with, once it knows what the worker died of.

use serde::{Deserialize, Serialize};

use super::fingerprint::fingerprint;
use super::minimise::Reducer;
use super::supervisor::Ended;
use crate::case::Case;
use crate::model::schedule::Schedule;
use crate::model::verdict::{Failure, Verdict};
use crate::strategy::Guide;

/// How the execution that is looked into failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Any, if there is none.
    how: Option<(Verdict, String)>,
}

impl Wanted {
    #[must_use]
    pub fn of(failure: &Failure) -> Self {
        Self { how: Some((failure.verdict, fingerprint(failure))) }
    }

    /// As a case that is recorded.
    #[must_use]
    pub fn as_in(case: &Case) -> Self {
        Self { how: Some((case.verdict, case.fingerprint.clone())) }
    }

    /// Every failure will do.
    #[must_use]
    pub fn anything() -> Self {
        Self { how: None }
    }

    /// Whether only a look for leaks can show it.
    #[must_use]
    pub fn needs_leak_check(&self) -> bool {
        matches!(self.how, Some((Verdict::Leak, _)))
    }

    /// Whether a worker ended by failing so.
    #[must_use]
    pub fn is_shown_by(&self, ended: &Ended) -> bool {
        ended.found.as_ref().is_some_and(|found| found.failures.iter().any(|failure| self.is(failure)))
    }

    /// Whether another one failed in the same way.
    #[must_use]
    pub fn is(&self, failure: &Failure) -> bool {
        self.how.as_ref().is_none_or(|(verdict, print)| failure.verdict == *verdict && fingerprint(failure) == *print)
    }
}

/// A series of tries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Series {
    Reduce(Reducer),
    Sample(Samples),
}

/// Tries that are all made; which of them failed so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Samples {
    pub guides: Vec<Guide>,
    pub failed: Vec<bool>,
}

impl Series {
    /// What is tried next.
    #[must_use]
    pub fn next(&self) -> Option<Guide> {
        match self {
            Self::Reduce(reducer) => reducer.next(),
            Self::Sample(samples) => samples.guides.get(samples.failed.len()).cloned(),
        }
    }

    /// Whether it failed in the way that is wanted.
    pub fn told(&mut self, failed: bool) {
        match self {
            Self::Reduce(reducer) => reducer.told(failed),
            Self::Sample(samples) => samples.failed.push(failed),
        }
    }

    /// How many were made.
    #[must_use]
    pub fn tried(&self) -> u64 {
        match self {
            Self::Reduce(reducer) => reducer.tried(),
            Self::Sample(samples) => samples.failed.len() as u64,
        }
    }
}

/// What a worker is to try, of the case that it is given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trials {
    pub series: Series,
    pub wanted: Wanted,
    /// Milliseconds after which no further one is begun.
    pub limit_ms: Option<u64>,
}

/// How far a worker came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tried {
    pub series: Series,
    /// That of the last one that failed as wanted, if the worker survived it.
    pub schedule: Option<Schedule>,
}
