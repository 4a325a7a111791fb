//! The generational search: execution number `i` is a function of the seed, the thread count and `i`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Runtime, Search};
use crate::campaign::explorer::Campaign;
use crate::campaign::findings::{Findings, Origin};
use crate::campaign::job::{Executed, Slice, Work, milliseconds};
use crate::campaign::known::Known;
use crate::campaign::plan::{Cell, Cut, Share};
use crate::campaign::seed::schedule_seed;
use crate::campaign::supervisor::Found;
use crate::campaign::task_graphs::TaskGraphs;
use crate::case::Workload;
use crate::model::settings::{Engine, StrategyName};

pub(super) struct Generational {
    seed: u64,
    engine: Engine,
    task_graphs: TaskGraphs,
    audit: bool,
}

impl Generational {
    pub fn new(campaign: &Campaign, runtime: &Runtime, strategy: StrategyName) -> Self {
        let task_graphs = TaskGraphs::for_strategy(strategy, runtime.shape);
        Self { seed: campaign.seed, engine: campaign.engine, task_graphs, audit: campaign.audit }
    }
}

impl Search for Generational {
    fn cut(&self) -> Cut {
        Cut::Anywhere(self.engine)
    }

    fn work(&mut self, share: &Share, findings: &Findings) -> Work {
        let fingerprints =
            findings.known_before(Origin { cell: share.cell, execution: share.first, ..Origin::default() });
        Work::Explore(Slice {
            seed: self.seed,
            first: share.first,
            count: share.count,
            limit_ms: share.limit.map(milliseconds),
            executed: Executed::TaskGraphs(self.task_graphs),
            known: Known { fingerprints, reports: BTreeSet::new() },
            leak_check_every: u64::MAX,
            stop_at_first: true,
            audit: self.audit,
            mixes_memory: false,
        })
    }

    fn failed(&self, found: &mut Found, cell: &Cell) -> (Workload, u64) {
        let graph = self.task_graphs.graph_of(self.seed, cell.threads, found.execution);
        (graph.into(), schedule_seed(self.seed, cell.threads, found.execution))
    }

    /// Cells with the same thread count run the same ones.
    fn task_graphs(&self, cells: &[Cell]) -> u64 {
        let mut by_threads: BTreeMap<u16, u64> = BTreeMap::new();
        for cell in cells {
            let task_graphs = by_threads.entry(cell.threads).or_default();
            *task_graphs = self.task_graphs.count(cell.executions).max(*task_graphs);
        }
        by_threads.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::plan::Plan;
    use crate::model::settings::Sanitizer;
    use crate::task_graph::Shape;

    #[test]
    fn task_graphs_that_every_sanitizer_runs_are_counted_once() {
        let sanitizers = [Sanitizer::None, Sanitizer::Thread, Sanitizer::Address];
        let engine = Engine::Fibers;
        let mut plan = Plan::new(&sanitizers, &[1, 2], Cut::Anywhere(engine), None, None, 2);
        for cell in &mut plan.cells {
            cell.executions = 2 * 32 + 1;
        }
        let task_graphs = TaskGraphs { shape: Shape::of_size(3), schedules: 32 };
        let search = Generational { seed: 1, engine, task_graphs, audit: false };
        assert_eq!(search.task_graphs(&plan.cells), 2 * 3);
    }
}
