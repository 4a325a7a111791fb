//! What a worker is told that was found before, so that it counts it and reports it no more.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::fingerprint::fingerprint;
use crate::model::verdict::Failure;

/// What is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Of what findings are reported as.
    pub fingerprints: BTreeSet<String>,
    /// Signatures of reports of the sanitizer.
    pub reports: BTreeSet<u64>,
}

impl Known {
    /// Takes in how an execution failed, and leaves what was not known, each of which is a finding. A sanitizer goes on to
    /// print reports that are known, and the worker ended for those that are not. Where all are known, the first stays.
    pub fn settle(&mut self, failures: &mut Vec<Failure>) {
        let first = failures.first().cloned();
        failures.retain(|failure| self.fingerprints.insert(fingerprint(failure)));
        if failures.is_empty() {
            failures.extend(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::verdict::{OracleName, Verdict};

    #[test]
    fn a_failure_is_reported_as_all_that_is_not_known_yet() {
        let race = |cause: &&str| Failure {
            verdict: Verdict::DataRace,
            oracle: OracleName::Sanitizer,
            message: String::new(),
            cause: (*cause).to_owned(),
        };
        let mut known = Known::default();
        let mut reported_as = |causes: &[&str]| {
            let mut failures: Vec<Failure> = causes.iter().map(race).collect();
            known.settle(&mut failures);
            failures.into_iter().map(|failure| failure.cause).collect::<Vec<_>>()
        };
        assert_eq!(reported_as(&["a"]), ["a"]);
        assert_eq!(reported_as(&["a", "b", "c"]), ["b", "c"]);
        assert_eq!(reported_as(&["c", "a"]), ["c"], "all are known");
    }
}
