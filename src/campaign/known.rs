//! What the workers that make one slice of a check, one after the other, tell each other.
//!
//! A report of a sanitizer ends its worker, and the next one goes on with the slice. Were it told what other slices
//! found, it would depend on how workers overlapped where it ends, and with that what strategies know.

use std::collections::{BTreeMap, BTreeSet};

use super::fingerprint::fingerprint;
use crate::model::verdict::Failure;

/// What is known in each slice of a cell.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Executions of a slice.
    size: u64,
    slices: BTreeMap<u64, Slice>,
}

/// What was found in a slice so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Slice {
    /// Signatures of reports.
    pub reports: BTreeSet<u64>,
    /// Of what findings are reported as.
    pub fingerprints: BTreeSet<String>,
}

impl Known {
    pub fn new(size: u64) -> Self {
        Self { size, slices: BTreeMap::new() }
    }

    /// The slice that an execution belongs to.
    pub fn slice_of(&mut self, execution: u64) -> &mut Slice {
        self.slices.entry(execution / self.size).or_default()
    }
}

impl Slice {
    /// Takes in how an execution failed. What it is reported as comes first: a sanitizer goes on to print reports that
    /// are known, and the worker ended for the one that is not.
    pub fn settle(&mut self, failures: &mut [Failure]) {
        failures.sort_by_key(|failure| self.fingerprints.contains(&fingerprint(failure)));
        self.fingerprints.extend(failures.first().map(fingerprint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::verdict::{OracleName, Verdict};

    fn race(cause: &str) -> Failure {
        Failure {
            verdict: Verdict::DataRace,
            oracle: OracleName::Sanitizer,
            message: String::new(),
            cause: cause.to_owned(),
        }
    }

    #[test]
    fn the_rest_of_a_slice_knows_what_was_found_in_it_and_other_slices_do_not() {
        let mut known = Known::new(100);
        known.slice_of(100).reports.insert(7);
        known.slice_of(100).settle(&mut [race("a")]);
        assert_eq!(known.slice_of(131).reports, BTreeSet::from([7]));
        assert_eq!(known.slice_of(199).fingerprints.len(), 1);
        for other in [0, 99, 200] {
            assert!(known.slice_of(other).reports.is_empty() && known.slice_of(other).fingerprints.is_empty());
        }
    }

    #[test]
    fn a_failure_is_reported_as_what_its_slice_does_not_know_whatever_others_found_meanwhile() {
        let mut known = Known::new(100);
        let mut reported_as = |execution, mut failures: Vec<Failure>| {
            known.slice_of(execution).settle(&mut failures);
            failures[0].cause.clone()
        };
        assert_eq!(reported_as(5, vec![race("a")]), "a");
        assert_eq!(reported_as(103, vec![race("a"), race("b")]), "a");
        assert_eq!(reported_as(6, vec![race("a"), race("b")]), "b");
        assert_eq!(reported_as(7, vec![race("b"), race("a")]), "b");
    }
}
