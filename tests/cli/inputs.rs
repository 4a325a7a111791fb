//! Inputs that fuzz targets save: replayed and shown as cases are.

use std::fs;

use crate::command::{CLEAN, COULD_NOT, FOUND, Workplace};
use threadbare::input::Input;
use threadbare::task_graph::text;

/// Some schedule of it loses a wake-up with `lost-notify`, in most of which the random walk finds it.
fn input(seed: u64) -> Input {
    let graph = text::parse(
        "task-graph\ntask 0 main int\nwhen-all 1 2 3\ntask 1 worker int\ntask 2 worker int\ntask 3 worker int\nend",
    );
    Input { threads: 3, seed, graph: graph.expect("a task graph"), choices: vec![33, 70, 0] }
}

#[test]
fn an_input_replays_clean_and_shows_a_bug_that_is_switched_on() {
    let place = Workplace::new();
    fs::create_dir(place.path().join("artifacts")).expect("a folder");
    for seed in 0..40 {
        fs::write(place.path().join(format!("artifacts/crash-{seed:02}")), input(seed).encode()).expect("written");
    }
    let clean = place.run("replay artifacts").left_with(CLEAN);
    assert!(clean.stdout.contains("crash-00: clean"), "{}", clean.stdout);
    assert!(clean.stdout.contains("40 cases: 40 as expected"), "{}", clean.stdout);
    let found = place.run("replay artifacts --bug lost-notify").left_with(FOUND);
    assert!(found.stdout.contains("found: it showed lost-wakeup"), "{}", found.stdout);
    let again = place.run("replay artifacts --bug lost-notify").left_with(FOUND);
    assert_eq!(found.stdout, again.stdout);
    place.run("replay artifacts --bug nonsense").left_with(COULD_NOT);
}

#[test]
fn an_input_is_shown_as_text_graph_and_json() {
    let place = Workplace::new();
    fs::write(place.path().join("crash-1"), input(7).encode()).expect("written");
    let shown = place.run("show crash-1").left_with(CLEAN).stdout;
    assert!(shown.contains("threads      3\nchoices      1*2 6*3 0*1\nthen         random, seed 7\n"), "{shown}");
    assert!(shown.contains("when-all 1 2 3"), "{shown}");
    assert!(place.run("show crash-1 --format dot").left_with(CLEAN).stdout.starts_with("digraph"));
    let json = place.run("show crash-1 --format json").left_with(CLEAN).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["choices"], serde_json::json!([33, 70, 0]));
}

#[test]
fn an_input_of_another_version_is_refused_by_name() {
    let place = Workplace::new();
    let mut bytes = input(1).encode();
    bytes[5] = 2;
    fs::write(place.path().join("crash-1"), bytes).expect("written");
    let refused = place.run("replay crash-1").left_with(COULD_NOT);
    assert!(refused.stderr.contains("crash-1: input version 2 is newer than this threadbare"), "{}", refused.stderr);
}
