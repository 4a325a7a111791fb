//! Whether a task graph can get stuck on a runtime that is right, by trial.

use super::model::Model;
use crate::task_graph::TaskGraph;
use crate::task_graph::generate::{Decisions, Seeded};

/// Schedules tried.
const TRIALS: u64 = 200;

/// Whether one of some hundred random schedules gets the task graph stuck. Those of the generator never do.
#[must_use]
pub fn can_get_stuck(graph: &TaskGraph) -> bool {
    (0..TRIALS).any(|seed| !ends(graph, &mut Seeded::new(seed)))
}

/// Lets random tasks take random numbers of steps until the task graph ends; false if it gets stuck.
pub fn ends(graph: &TaskGraph, schedule: &mut impl Decisions) -> bool {
    let mut model = Model::new(graph);
    let tasks = graph.tasks.len() as u32;
    // Long turns let one task run far ahead of the others, short ones mix all.
    let longest = 1 << schedule.below(6);
    while !model.ended() {
        let first = schedule.below(tasks);
        let moved = (0..tasks).map(|turn| (first + turn) % tasks).find(|&task| model.step(task, 0));
        let Some(task) = moved else { return false };
        for _ in 0..schedule.below(longest) {
            if model.ended() || !model.step(task, 0) {
                break;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task_graph::{from_seed, text};

    #[test]
    fn two_locks_in_opposite_orders_get_stuck_and_generated_task_graphs_do_not() {
        let source = "task-graph\n objects\n mutexes 2\n task 0 main int\n when-all 1 2\n task 1 worker int\n lock 0\n \
            lock 1\n unlock 1\n unlock 0\n task 2 worker int\n lock 1\n lock 0\n unlock 0\n unlock 1\n end";
        assert!(can_get_stuck(&text::parse(source).expect("a valid task graph")));
        assert!(!can_get_stuck(&from_seed(1, 6)));
    }
}
