//! The memory orders of the bundled runtime: they are as strong as they must be, and a bug of one shows where the memory model
//! that it needs is asked for, and nowhere else.

use std::path::Path;

use crate::command::{CLEAN, FOUND, Workplace};
use serde_json::Value;
use threadbare::campaign::catalogue::{CATALOGUE, Entry};
use threadbare::model::settings::{MemoryModel, Sanitizer};

fn bugs_of_order() -> Vec<&'static Entry> {
    CATALOGUE.iter().filter(|entry| entry.memory != MemoryModel::Sc).collect()
}

#[test]
fn bugs_of_order_are_found_under_the_memory_model_that_they_need_without_a_sanitizer() {
    let bugs = bugs_of_order();
    assert!(bugs.len() >= 6 && bugs.iter().all(|entry| entry.sanitizer == Sanitizer::None));
    let place = Workplace::new();
    let names: Vec<&str> = bugs.iter().map(|entry| entry.name).collect();
    place.run(&format!("bugs {} --trials 1 --cap 3000 --json out.json", names.join(" "))).left_with(CLEAN);
    let json = place.json("out.json");
    for (entry, found) in bugs.iter().zip(json["bugs"].as_array().expect("bugs")) {
        assert_eq!(found["name"], Value::from(entry.name));
        assert_eq!(found["found"], 1, "{found}");
        assert!(["tso", "cpp20"].iter().any(|memory| found["memory"] == *memory), "{found}");
    }
    assert_eq!(json["clean"]["findings"], 0);
}

#[test]
fn bugs_of_order_show_in_no_interleaving() {
    let place = Workplace::new();
    for entry in bugs_of_order() {
        let campaign = "fuzz --memory sc --sanitizer none --threads 2,3 --executions 800 --seed 5";
        place.run(&format!("{campaign} --bug {}", entry.name)).left_with(CLEAN);
    }
}

#[test]
fn the_queue_and_the_sleepers_hold_in_weak_executions_and_fail_with_a_weaker_order() {
    let place = Workplace::new();
    place.write("runtime_queue.cpp", include_str!("runtime_queue.cpp"));
    let flags = format!("-I{}", Path::new(env!("CARGO_MANIFEST_DIR")).join("cpp").display());
    let check = |memory: &str, arguments: &str| {
        let campaign =
            "check runtime_queue.cpp --sanitizer none --executions 600 --seed 3 --stop-at-first --minimise off";
        let ran = place.run(&format!("{campaign} --flags {flags} --memory {memory} -- {arguments}"));
        assert!(ran.code == Some(CLEAN) || ran.code == Some(FOUND), "{}", ran.stderr);
        ran.code == Some(FOUND)
    };
    for (producers, workers) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
        assert!(!check("cpp20", &format!("none {producers} {workers}")), "{producers} and {workers}");
    }
    for (weaker, memory) in [("push", "tso"), ("announcement", "cpp20")] {
        assert!(check(memory, &format!("{weaker} 1 1")), "{weaker}");
        assert!(!check("sc", &format!("{weaker} 1 1")), "{weaker}");
    }
}
