//! The search of a program's schedules. Strategies that learn know what happened since their slice began, so the
//! executions of a slice come in a fixed order, in one process.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Search;
use crate::campaign::explorer::Campaign;
use crate::campaign::findings::Findings;
use crate::campaign::job::{Executed, Program, Slice, Work, milliseconds};
use crate::campaign::known::Known;
use crate::campaign::plan::{Cell, Cut, Share};
use crate::campaign::seed::schedule_seed;
use crate::campaign::supervisor::{Ended, Found};
use crate::case::Workload;
use crate::check::Check;
use crate::model::settings::{MemoryModel, StrategyName};

/// Executions of a slice. What a strategy learns lasts as long, so their number must not depend on time. What an exhaustive
/// search knows is lost with its worker, so it has but one.
fn slice_of(strategy: StrategyName) -> u64 {
    if strategy.is_exhaustive() { u64::MAX } else { 200_000 }
}

pub(super) struct ProgramSearch {
    check: Check,
    seed: u64,
    stop_at_first: bool,
    audit: bool,
    mixes_memory: bool,
    /// Executions of a slice.
    slice: u64,
    /// By cell and slice. A report of a sanitizer ends its worker, and the next one goes on with the slice. Were it told
    /// what other slices found, it would depend on how workers overlapped where it ends, and with that what strategies
    /// know.
    known: BTreeMap<(usize, u64), Known>,
}

impl ProgramSearch {
    pub fn new(campaign: &Campaign, check: &Check, strategy: StrategyName) -> Self {
        Self {
            check: check.clone(),
            seed: campaign.seed,
            stop_at_first: campaign.stop_at_first,
            audit: campaign.audit,
            mixes_memory: campaign.memory.is_none() && campaign.searched.weakest_memory() != MemoryModel::Sc,
            slice: slice_of(strategy),
            known: BTreeMap::new(),
        }
    }

    /// What the slice that this is a part of knows.
    fn known(&mut self, share: &Share) -> &mut Known {
        self.known.entry((share.cell, share.first / self.slice)).or_default()
    }
}

impl Search for ProgramSearch {
    fn cut(&self) -> Cut {
        Cut::Program { slice: self.slice }
    }

    fn work(&mut self, share: &Share, _findings: &Findings) -> Work {
        Work::Explore(Slice {
            seed: self.seed,
            first: share.first,
            count: share.count,
            limit_ms: share.limit.map(milliseconds),
            executed: Executed::Program(Program::of(&self.check)),
            known: self.known(share).clone(),
            leak_check_every: u64::MAX,
            stop_at_first: self.stop_at_first,
            audit: self.audit,
            mixes_memory: self.mixes_memory,
        })
    }

    fn ended(&mut self, share: &Share, ended: &mut Ended) -> Result<()> {
        let known = self.known(share);
        let failed = ended.outcome.earlier.iter().chain(&ended.outcome.failed);
        known.reports.extend(failed.flat_map(|failed| &failed.signatures));
        for found in ended.earlier.iter_mut().chain(&mut ended.found) {
            known.settle(&mut found.failures);
        }
        Ok(())
    }

    fn failed(&self, found: &mut Found, cell: &Cell) -> (Workload, u64) {
        (self.check.clone().into(), schedule_seed(self.seed, cell.threads, found.execution))
    }

    fn task_graphs(&self, _cells: &[Cell]) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::explorer::sample;
    use crate::model::verdict::{Failure, OracleName, Verdict};

    fn race(cause: &str) -> Failure {
        let (verdict, oracle) = (Verdict::DataRace, OracleName::Sanitizer);
        Failure { verdict, oracle, message: String::new(), cause: cause.to_owned() }
    }

    #[test]
    fn the_rest_of_a_slice_knows_what_was_found_in_it_and_other_slices_do_not() {
        let campaign = sample::of_program();
        let super::super::Searched::Program { check, .. } = &campaign.searched else { panic!("a program") };
        let mut search = ProgramSearch { slice: 100, ..ProgramSearch::new(&campaign, check, StrategyName::Random) };
        let share = |cell, first| Share { cell, first, count: 1, limit: None };
        search.known(&share(0, 100)).reports.insert(7);
        search.known(&share(0, 100)).settle(&mut vec![race("a")]);
        assert!(search.known(&share(0, 131)).reports.contains(&7));
        assert_eq!(search.known(&share(0, 199)).fingerprints.len(), 1);
        for (cell, first) in [(0, 0), (0, 99), (0, 200), (1, 150)] {
            assert_eq!(*search.known(&share(cell, first)), Known::default());
        }
    }
}
