//! Proves by trial that no schedule gets a generated task graph stuck on a correct runtime.

use threadbare::reference::model::Model;
use threadbare::reference::trial::ends;
use threadbare::task_graph::from_seed;
use threadbare::task_graph::generate::Seeded;

fn try_out(seeds: std::ops::Range<u64>, schedules: u64, size: u32) {
    for seed in seeds {
        let graph = from_seed(seed, size);
        for number in 0..schedules {
            let mut schedule = Seeded::new(seed ^ (number << 40) ^ 0x5eed);
            assert!(ends(&graph, &mut schedule), "seed {seed}, size {size}, schedule {number}: stuck\n{graph}");
        }
    }
}

#[test]
fn small_task_graphs_never_get_stuck() {
    try_out(0..20_000, 5, 6);
    try_out(0..3_000, 5, 2);
}

#[test]
fn middling_task_graphs_never_get_stuck() {
    try_out(0..4_000, 5, 15);
    try_out(0..300, 4, 60);
}

#[test]
fn a_task_graph_of_thousands_of_tasks_does_not_get_stuck() {
    for seed in 0..3 {
        let graph = from_seed(seed, 3_000);
        assert!(graph.tasks.len() > 100, "size grows with the knob");
        let mut model = Model::new(&graph);
        assert!(model.run(), "seed {seed}: stuck");
    }
}

#[test]
fn the_trial_notices_a_task_graph_that_can_get_stuck() {
    let text = "task-graph\n objects\n mutexes 2\n task 0 main int\n when-all 1 2\n task 1 worker int\n lock 0\n lock 1\n \
        unlock 1\n unlock 0\n task 2 worker int\n lock 1\n lock 0\n unlock 0\n unlock 1\n end";
    let graph = threadbare::task_graph::text::parse(text).expect("a valid task graph");
    let mut schedule = Seeded::new(1);
    let stuck = (0..1000).filter(|_| !ends(&graph, &mut schedule)).count();
    assert!(stuck > 50, "two locks in opposite orders got stuck in {stuck} of 1000 schedules");
}
