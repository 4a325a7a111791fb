//! Every seeded bug is one of interleavings or of memory orders: it leaves a single thread in peace, but for the one that
//! always leaks.

use super::harness::{Loads, Test, controlled_engines, object, open, settings};
use threadbare::campaign::catalogue::{CATALOGUE, Entry};
use threadbare::control::{Loading, Mode};
use threadbare::model::settings::{Settings, StrategyName};
use threadbare::model::verdict::{Judgement, Verdict};
use threadbare::oracle::Judge;
use threadbare::reference::Expectations;
use threadbare::task_graph::text;

/// A task of each affinity and kind of result.
const TASK_GRAPH: &str = "task-graph\nobjects\n\
    task 0 main int\nstart 1\nyield\njoin 1\nawait 2\nstart 3\njoin 3\nawait 4\nwhen-all 5 6\n\
    task 1 worker int\ncompute 1\nyield\n\
    task 2 main int\ncompute 2\nyield\n\
    task 3 worker unique\ncompute 3\nyield\n\
    task 4 main unique\ncompute 4\nyield\n\
    task 5 worker void\nyield\n\
    task 6 main void\nyield\nend";

pub fn tests() -> Vec<Test> {
    let test = |entry: &'static Entry| {
        let name = format!("{}_leaves_a_single_thread_in_peace", entry.name);
        Test::new(name, Loads::Runtime(Some(entry.name)), move || in_peace(entry)).under(&[entry.sanitizer])
    };
    CATALOGUE.iter().map(test).collect()
}

fn in_peace(entry: &Entry) {
    let bug = entry.name;
    let graph = text::parse(TASK_GRAPH).expect("a valid task graph");
    let settings = Settings { memory: entry.memory, ..settings(controlled_engines()[0], StrategyName::Random) };
    let mut session = open(&settings, Loading::Runtime(&object()));
    session.load(&graph);
    let execution = session.execute(0, Mode::Explore { seed: 0 });
    assert_eq!(execution.reports, 0, "{bug}");
    match Judge::new(&graph, 1, Expectations::of(&graph)).judge(execution) {
        Judgement::Wrong(failure) if bug == "transfer-frame-leak" => assert_eq!(failure.verdict, Verdict::FrameLeak),
        judgement => assert_eq!(judgement, Judgement::Right, "{bug}"),
    }
}
