//! Data races of runtimes that threadbare's own detector sees: their plain accesses are instrumented where races are looked for.

use std::fs;
use std::path::PathBuf;

use crate::command::{CLEAN, COULD_NOT, FOUND, Workplace, engines, has_clang, sanitizers};

/// A seeded bug that is a data race and nothing else, with the functions of a race that it makes.
const RACY: [(&str, &str); 3] = [
    ("relaxed-publish", "promise.hpp"),
    ("registry-status-unlocked", "arc_table.hpp"),
    ("context-unlocked-check", "LookedUpUnlocked::is_main"),
];

fn only_case(place: &Workplace, findings: &str) -> PathBuf {
    place.cases(findings).into_iter().next().map(|case| place.path().join(case)).expect("a case")
}

#[test]
fn a_seeded_bug_is_found_as_a_data_race_without_threadsanitizer_and_replays_everywhere() {
    let place = Workplace::new();
    for sanitizer in sanitizers().iter().filter(|sanitizer| **sanitizer != "thread") {
        for (bug, function) in RACY {
            let findings = format!("{bug}-{sanitizer}");
            let ran = place.run(&format!(
                "fuzz --bug {bug} --sanitizer {sanitizer} --races on --threads 2 --executions 1500 --seed 1 --stop-at-first \
                 --findings {findings}"
            ));
            let ran = ran.left_with(FOUND);
            assert!(
                ran.stdout.contains(&format!("data-race ({sanitizer}, 2 threads): threadbare: ")),
                "{}",
                ran.stdout
            );
            let case = only_case(&place, &findings);
            let text = fs::read_to_string(&case).expect("a case");
            let parts = [
                "\nraces on\n",
                "WARNING: threadbare: data race (pid=",
                function,
                "Thread T1 created by main thread at:",
            ];
            let missing: Vec<&str> = parts.into_iter().filter(|part| !text.contains(part)).collect();
            assert!(missing.is_empty(), "{missing:?} in {text}");
            for engine in engines() {
                for replayed in sanitizers() {
                    let command = format!("replay {} --sanitizer {replayed} --engine {engine}", case.display());
                    place.run(&command).left_with(CLEAN);
                }
            }
        }
    }
}

#[test]
fn a_schedule_and_a_task_graph_of_a_race_are_made_small() {
    let place = Workplace::new();
    let campaign =
        "fuzz --bug registry-status-unlocked --sanitizer none --races on --threads 2 --executions 1500 --seed 1";
    place.run(&format!("{campaign} --stop-at-first")).left_with(FOUND);
    let case = only_case(&place, "findings");
    let made = place.run(&format!("minimise {}", case.display())).left_with(CLEAN);
    assert!(made.stdout.contains("data-race: "), "{}", made.stdout);
    let small = case.with_extension("min.case");
    assert!(fs::read_to_string(&small).expect("a smaller case").contains("\nraces on\n"));
    place.run(&format!("replay {}", small.display())).left_with(CLEAN);
}

#[test]
fn the_runtimes_that_are_shipped_have_no_races() {
    let place = Workplace::new();
    for runtime in ["bundled", "jthread-pool"] {
        let address = if has_clang() { "address" } else { "none --threads 3" };
        for how in ["none", address, "none --memory cpp20", "none --cxx g++", "none --engine threads"] {
            let campaign = format!("fuzz --runtime {runtime} --races on --executions 300 --seed 7 --sanitizer {how}");
            let ran = place.run(&campaign).left_with(CLEAN);
            assert!(ran.stdout.contains("nothing found"), "{campaign}: {}", ran.stdout);
        }
    }
}

#[test]
fn accesses_that_are_told_are_no_scheduling_points() {
    let place = Workplace::new();
    let points = |races: &str| {
        let out = format!("{races}.json");
        let campaign = "fuzz --sanitizer none --executions 400 --seed 11";
        place.run(&format!("{campaign} --races {races} --json {out}")).left_with(CLEAN);
        let json = place.json(&out);
        json["runs"].as_array().expect("runs").iter().map(|run| run["points"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(points("on"), points("off"));
}

/// An adapter with a race that has no consequences: every task that is begun is counted, by whoever begins it.
const COUNTED: (&str, &str) = (
    "  static void spawn(Scheduler &scheduler, Task<T> task) {",
    "  static void spawn(Scheduler &scheduler, Task<T> task) {\n    static long begun;\n    ++begun;",
);

#[test]
fn a_runtime_of_the_project_is_judged_where_it_or_the_command_line_asks_for_it() {
    let place = Workplace::new();
    place.run("runtime new mine").left_with(CLEAN);
    let adapter = fs::read_to_string(place.path().join("mine/adapter.cpp")).expect("an adapter");
    assert!(adapter.contains(COUNTED.0), "{adapter}");
    place.write("mine/adapter.cpp", &adapter.replace(COUNTED.0, COUNTED.1));
    let file = fs::read_to_string(place.path().join("mine/threadbare.toml")).expect("a project");
    let limits = "--sanitizer none --threads 4 --executions 400 --seed 3";
    for (key, flag, code) in [
        ("", "", CLEAN),
        ("races = \"on\"\n", "", FOUND),
        ("races = \"on\"\n", "--races off", CLEAN),
        ("", "--races on", FOUND),
    ] {
        place.write("mine/threadbare.toml", &format!("{}\n{key}", file.trim_end()));
        for command in ["fuzz --runtime mine", "ci"] {
            let ran = place.run_in("mine", &format!("{command} {limits} {flag} --findings found"), &[]);
            assert_eq!(ran.code, Some(code), "{command} {flag} with {key}: {}{}", ran.stdout, ran.stderr);
        }
        let _ = fs::remove_dir_all(place.path().join("mine/found"));
    }
}

#[test]
fn races_are_refused_where_nobody_can_look_for_them() {
    let place = Workplace::new();
    for (how, why) in [
        ("--engine free", "nobody knows which accesses are ordered"),
        ("--sanitizer address --cxx g++", "races cannot be looked for with g++ and AddressSanitizer"),
    ] {
        let refused = place.run(&format!("fuzz --races on --executions 10 {how}")).left_with(COULD_NOT);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
}
