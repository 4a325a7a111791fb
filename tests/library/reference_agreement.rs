//! The reference's own scheduler as a runtime: on any number of threads all oracles pass it, and it agrees with
//! the model.

use threadbare::model::execution::{Event, Execution};
use threadbare::model::verdict::Judgement;
use threadbare::oracle::Judge;
use threadbare::reference::Expectations;
use threadbare::reference::scheduler;
use threadbare::task_graph::{TaskGraph, from_seed};

/// The reference is tried on 1 to so many threads.
const MAX_THREADS: u16 = 16;

fn execution(events: Vec<Event>) -> Execution {
    Execution::completed(events)
}

fn check(graph: &TaskGraph, threads: u16) {
    let expectations = Expectations::of(graph);
    let execution = execution(scheduler::run(graph, threads));
    let seen = Expectations::from_events(graph, &execution.events);
    let judgement = Judge::new(graph, threads, expectations.clone()).judge(&execution);
    assert_eq!(judgement, Judgement::Right, "{threads} threads\n{graph}\n{:?}", execution.events);
    for task in 0..graph.tasks.len() as u32 {
        if let (Some(expected), Some(outcome)) = (expectations.outcome(task), seen.outcome(task)) {
            assert_eq!(outcome, expected, "task {task} on {threads} threads\n{graph}");
        }
    }
}

#[test]
fn all_oracles_pass_the_scheduler_on_small_task_graphs() {
    for seed in 0..4_000 {
        check(&from_seed(seed, 6), 1 + (seed % u64::from(MAX_THREADS)) as u16);
    }
}

#[test]
fn all_oracles_pass_the_scheduler_on_large_task_graphs() {
    for seed in 0..40 {
        check(&from_seed(seed, 200), [1, 2, 4, 16][seed as usize % 4]);
    }
    check(&from_seed(1, 2_000), 4);
}

#[test]
fn one_thread_always_expects_the_same_as_many() {
    for seed in 0..300 {
        let graph = from_seed(seed, 8);
        let [one, many] = [1, 8].map(|threads| Expectations::from_events(&graph, &scheduler::run(&graph, threads)));
        for task in 0..graph.tasks.len() as u32 {
            if let (Some(left), Some(right)) = (one.outcome(task), many.outcome(task)) {
                assert_eq!(left, right, "task {task} of seed {seed}");
            }
        }
    }
}
