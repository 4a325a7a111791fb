//! The main job, from start to replay, with the executable that the tests were built with.

use std::fs;

use crate::command::{CLEAN, FOUND, Workplace};
use serde_json::Value;

/// What must be the same in two runs of one campaign.
fn comparable(json: &Value) -> Value {
    let mut json = json.clone();
    json["seconds"] = Value::Null;
    json["per_second"] = Value::Null;
    for run in json["runs"].as_array_mut().expect("runs") {
        run["seconds"] = Value::Null;
        run["per_second"] = Value::Null;
    }
    json
}

#[test]
fn a_clean_campaign_finds_nothing_and_tells_what_it_did() {
    let place = Workplace::new();
    let ran = place.run("fuzz --executions 2000 --sanitizer none --seed 1 --json out.json").left_with(CLEAN);
    assert!(ran.stdout.contains("nothing found"), "{}", ran.stdout);
    let json = place.json("out.json");
    assert_eq!(json["executions"], 2000);
    assert_eq!(json["findings"], serde_json::json!([]));
    assert_eq!(json["incomparable"], serde_json::json!({}));
    let threads: Vec<u64> =
        json["runs"].as_array().expect("runs").iter().filter_map(|run| run["threads"].as_u64()).collect();
    assert_eq!(threads, [1, 2, 4, 8]);
    assert!(json["runs"][0]["per_second"].as_f64().is_some_and(|rate| rate > 0.0));
}

#[test]
fn the_same_seed_and_executions_are_the_same_campaign_however_many_workers() {
    let place = Workplace::new();
    let campaign = "fuzz --executions 3000 --sanitizer none --seed 5 --bug transfer-frame-leak";
    for jobs in [1, 3] {
        place.run(&format!("{campaign} --jobs {jobs} --findings same --json {jobs}.json")).left_with(FOUND);
    }
    assert_eq!(comparable(&place.json("1.json")), comparable(&place.json("3.json")));
}

#[test]
fn a_campaign_of_seconds_visits_every_thread_count() {
    let place = Workplace::new();
    place.run("fuzz --seconds 1 --threads 1,2,4 --sanitizer none --json out.json").left_with(CLEAN);
    let json = place.json("out.json");
    for run in json["runs"].as_array().expect("runs") {
        assert!(run["executions"].as_u64().is_some_and(|executions| executions > 0), "{run}");
    }
}

#[test]
fn what_is_found_is_kept_confirmed_shown_and_replayed() {
    let place = Workplace::new();
    let campaign = "fuzz --executions 2000 --threads 2,4 --sanitizer none --seed 3 --bug lost-notify --json out.json";
    let ran = place.run(campaign).left_with(FOUND);
    let json = place.json("out.json");
    let finding = &json["findings"][0];
    assert_eq!(finding["verdict"], "lost-wakeup", "{}", ran.stdout);
    assert_eq!(finding["oracle"], "progress");
    assert_eq!(finding["confirmed"], true);
    let case = finding["case"].as_str().expect("a path");
    assert!(ran.stdout.contains(&format!("threadbare replay {case}")), "{}", ran.stdout);
    assert_eq!(place.cases("findings").len(), json["findings"].as_array().expect("findings").len());

    place.run(&format!("replay {case} --repeat 20 --json replay.json")).left_with(CLEAN);
    let replay = place.json("replay.json");
    assert_eq!((&replay["cases"], &replay["as_expected"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(replay["results"][0]["verdicts"], serde_json::json!({"lost-wakeup": 20}));

    let text = place.run(&format!("show {case}")).left_with(CLEAN).stdout;
    for word in ["lost-wakeup", "lost-notify", "timeline", "points"] {
        assert!(text.contains(word), "no {word} in: {text}");
    }
    assert!(place.run(&format!("show {case} --format dot")).left_with(CLEAN).stdout.starts_with("digraph"));
    let shown = place.run(&format!("show {case} --format json")).left_with(CLEAN).stdout;
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["settings"]["bug"], "lost-notify");
}

#[test]
fn a_crash_of_a_worker_is_a_finding_and_the_campaign_goes_on() {
    let place = Workplace::new();
    let campaign = "fuzz --executions 400 --threads 2 --sanitizer none --seed 3 --bug transfer-moved-task";
    place.run(&format!("{campaign} --json out.json")).left_with(FOUND);
    let json = place.json("out.json");
    assert_eq!(json["executions"], 400);
    let verdicts: Vec<&str> = json["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter_map(|finding| finding["verdict"].as_str())
        .collect();
    assert!(verdicts.contains(&"crash"), "{verdicts:?}");
    place.run("replay findings --repeat 5").left_with(CLEAN);
}

#[test]
fn a_bug_switched_off_in_a_case_no_longer_replays_and_does_not_pass() {
    let place = Workplace::new();
    let campaign = "fuzz --executions 1000 --threads 2 --sanitizer none --seed 3 --bug transfer-frame-leak";
    place.run(campaign).left_with(FOUND);
    let path = place.cases("findings").remove(0);
    let text = fs::read_to_string(&path).expect("a case");
    let fixed: String = text.lines().filter(|line| !line.starts_with("bug ")).map(|line| format!("{line}\n")).collect();
    assert_ne!(text, fixed);
    fs::write(place.path().join("fixed.case"), fixed).expect("written");
    let ran = place.run("replay fixed.case --json out.json").left_with(FOUND);
    assert!(ran.stdout.contains("unexpected") || ran.stdout.contains("diverged at step"), "{}", ran.stdout);
    let json = place.json("out.json");
    assert_eq!(json["diverged"].as_u64().unwrap_or(0) + json["unexpected"].as_u64().unwrap_or(0), 1);
}

#[test]
fn a_schedule_that_does_not_fit_says_at_which_step() {
    let place = Workplace::new();
    let campaign = "fuzz --executions 1000 --threads 2 --sanitizer none --seed 3 --bug transfer-frame-leak";
    place.run(campaign).left_with(FOUND);
    let path = place.cases("findings").remove(0);
    let text = fs::read_to_string(&path).expect("a case");
    // The first run of a thread gets another digest.
    let (before, rest) = text.split_once('#').expect("a digest");
    let digest = if rest.starts_with("0000") { "ffff" } else { "0000" };
    let other =
        format!("{before}#{digest}{}", &rest[rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len())..]);
    fs::write(place.path().join("other.case"), other).expect("written");
    let ran = place.run("replay other.case").left_with(FOUND);
    assert!(ran.stdout.contains("diverged at step"), "{}", ran.stdout);
}

#[test]
fn bugs_measures_a_search_and_a_clean_run() {
    let place = Workplace::new();
    place.run("bugs transfer-frame-leak --trials 2 --cap 1000 --json out.json").left_with(CLEAN);
    let json = place.json("out.json");
    let bug = &json["bugs"][0];
    assert_eq!((&bug["name"], &bug["found"]), (&Value::from("transfer-frame-leak"), &Value::from(2)));
    assert!(bug["median_executions"].as_f64().is_some_and(|median| median >= 1.0));
    assert_eq!(bug["free"], Value::Null);
    assert_eq!(json["clean"]["findings"], 0);
    assert!(json["clean"]["executions"].as_u64().is_some_and(|executions| executions >= 1000));
}

#[test]
fn the_first_finding_can_end_a_campaign() {
    let place = Workplace::new();
    let campaign = "fuzz --executions 100000 --threads 2,4 --sanitizer none --seed 3 --bug transfer-frame-leak";
    place.run(&format!("{campaign} --stop-at-first --json out.json")).left_with(FOUND);
    let json = place.json("out.json");
    assert!(json["executions"].as_u64().is_some_and(|executions| executions < 100_000), "{json}");
    assert_eq!(json["findings"][0]["confirmed"], true);
}

#[test]
fn an_audit_of_task_graphs_compares_two_executions_of_each_and_replays_them_with_every_engine() {
    let place = Workplace::new();
    let campaign = "fuzz --executions 800 --threads 1,2,4 --sanitizer none,address --seed 3 --audit --json out.json";
    let ran = place.run(campaign).left_with(CLEAN);
    assert!(ran.stdout.contains("audit: both executions of each schedule"), "{}", ran.stdout);
    let json = place.json("out.json");
    assert_eq!(json["executions"], 800);
    assert!(json["compared"].as_u64().is_some_and(|compared| compared >= 400), "{json}");
    place.run("fuzz --audit --search coverage-guided --executions 10").refused(&["--search generational"]);
    place.run("fuzz --audit --engine free --executions 10").refused(&["choose fibers or threads"]);
}
