//! Which task graphs a generational search executes.

use serde::{Deserialize, Serialize};

use super::seed::graph_seed;
use crate::model::settings::StrategyName;
use crate::task_graph::{self, Shape, TaskGraph};

/// Schedules of one task graph. With more of them a bug is found after more executions, since another task graph shows
/// more than another schedule; with fewer there are fewer executions a second, since task graphs have to be generated
/// (docs/performance.md).
const SCHEDULES: u64 = 4;
/// The same for a strategy that learns from them.
const SCHEDULES_TO_LEARN_FROM: u64 = 32;

/// Generated task graphs, each of which is executed under so many schedules before the next one.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct TaskGraphs {
    pub shape: Shape,
    pub schedules: u64,
}

impl TaskGraphs {
    /// For a search with this strategy.
    #[must_use]
    pub fn for_strategy(strategy: StrategyName, shape: Shape) -> Self {
        Self { shape, schedules: if strategy.learns() { SCHEDULES_TO_LEARN_FROM } else { SCHEDULES } }
    }

    /// The number of the task graph that an execution runs.
    #[must_use]
    pub fn number_of(&self, execution: u64) -> u64 {
        execution / self.schedules
    }

    /// The task graph that execution number `execution` of a campaign runs with so many threads.
    #[must_use]
    pub fn graph_of(&self, campaign: u64, threads: u16, execution: u64) -> TaskGraph {
        task_graph::from_seed_in_shape(graph_seed(campaign, threads, self.number_of(execution)), self.shape)
    }

    /// Task graphs that the first executions run.
    #[must_use]
    pub fn count(&self, executions: u64) -> u64 {
        executions.div_ceil(self.schedules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_that_learns_has_several_schedules_of_a_task_graph_to_learn_from() {
        let shape = Shape::of_size(3);
        for (strategy, task_graphs) in [(StrategyName::Random, 9), (StrategyName::Pct, 9), (StrategyName::Surw, 2)] {
            let of = TaskGraphs::for_strategy(strategy, shape);
            assert_eq!((of.count(33), of.number_of(32) + 1), (task_graphs, task_graphs), "{strategy}");
            assert_eq!(of.graph_of(7, 2, 0), of.graph_of(7, 2, 3));
            assert_eq!(of.graph_of(7, 2, 0) == of.graph_of(7, 2, 31), strategy.learns());
        }
    }
}
