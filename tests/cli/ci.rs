//! The one command of a CI job: what it replays and explores, what it writes, and how it leaves.

use std::fs;
use std::path::Path;

use crate::command::{CLEAN, FOUND, Workplace, has_clang};
use quick_junit::{Report, TestCaseStatus, TestSuite};
use serde_json::Value;

/// A campaign that needs no other worker than the executable under test.
const SMALL: &str = "--executions 1000 --sanitizer none --threads 1,2 --seed 3";
const FILES: &str = "--junit junit.xml --sarif out.sarif --json out.json";

/// Puts regression cases where they are looked for. Their schedules are of the code of clang, which recorded them: with
/// another compiler they do not fit.
fn regressions(place: &Workplace, names: &[&str]) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    for name in names {
        let text = fs::read_to_string(corpus.join(name)).expect("a case");
        place.write(&format!("tests/corpus/{name}"), &text);
    }
}

fn suites(place: &Workplace) -> Vec<TestSuite> {
    let text = fs::read_to_string(place.path().join("junit.xml")).expect("the JUnit file was written");
    Report::deserialize_from_str(&text).expect("JUnit").test_suites
}

fn names(suite: &TestSuite) -> Vec<&str> {
    suite.test_cases.iter().map(|test| test.name.as_str()).collect()
}

fn run_of(place: &Workplace) -> Value {
    let sarif = place.json("out.sarif");
    assert_eq!((&sarif["version"], sarif["runs"].as_array().map(Vec::len)), (&Value::from("2.1.0"), Some(1)));
    sarif["runs"][0].clone()
}

#[test]
fn a_clean_run_tells_in_every_file_what_ran() {
    let place = Workplace::new();
    if has_clang() {
        regressions(&place, &["lost-notify.case", "transfer-frame-leak.case", "relaxed-publish.case"]);
    }
    let ran = place.run(&format!("ci {SMALL} {FILES}")).left_with(CLEAN);
    assert!(ran.stdout.contains("nothing found"), "{}", ran.stdout);

    let [regressions, fuzz] = &suites(&place)[..] else { panic!("two suites") };
    assert_eq!((regressions.name.as_str(), fuzz.name.as_str()), ("regressions", "fuzz"));
    assert_eq!((regressions.failures, fuzz.failures), (0, 0));
    assert_eq!(names(fuzz), ["none, 1 threads", "none, 2 threads"]);

    let run = run_of(&place);
    assert_eq!(run["results"], Value::Array(Vec::new()));
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    assert_eq!(run["properties"]["executions"], 1000);
    assert_eq!(place.json("out.json")["fuzz"]["executions"], 1000);
    if has_clang() {
        // The race shows under ThreadSanitizer alone, which is not asked for.
        assert_eq!((regressions.tests, regressions.skipped), (3, 1));
        assert!(ran.stdout.contains("2 cases: 2 as expected"), "{}", ran.stdout);
        assert!(ran.stdout.contains("1 left out"), "{}", ran.stdout);
        assert_eq!(run["properties"]["regressions"], 2);
        assert_eq!(place.json("out.json")["regressions"]["as_expected"], 2);
    }
}

#[test]
fn what_is_found_is_in_every_file_with_the_command_that_replays_it() {
    let place = Workplace::new();
    place.run(&format!("ci {SMALL} {FILES} --bug lost-notify")).left_with(FOUND);
    let case = place.cases("findings").remove(0);
    let name = case.file_name().and_then(|name| name.to_str()).expect("a name");

    let suites = suites(&place);
    let failed: Vec<&TestCaseStatus> = suites[1]
        .test_cases
        .iter()
        .map(|test| &test.status)
        .filter(|status| matches!(status, TestCaseStatus::NonSuccess { .. }))
        .collect();
    let [TestCaseStatus::NonSuccess { ty: Some(kind), description: Some(text), .. }] = &failed[..] else {
        panic!("one failure, not {failed:?}");
    };
    assert_eq!(kind.as_str(), "lost-wakeup");
    assert!(text.as_str().contains(&format!("threadbare replay findings/{name}")), "{}", text.as_str());
    assert!(text.as_str().contains("timeline"), "{}", text.as_str());

    let run = run_of(&place);
    let result = &run["results"][0];
    assert_eq!(result["ruleId"], "lost-wakeup");
    let place_of = &result["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!((&place_of["uri"], &place_of["uriBaseId"]), (&format!("findings/{name}").into(), &"%SRCROOT%".into()));
    let fingerprint = result["partialFingerprints"]["threadbare/v1"].as_str().expect("a fingerprint");
    assert!(name.contains(fingerprint), "{fingerprint} is not of {name}");
}

#[test]
fn a_regression_case_that_does_something_else_fails_the_run() {
    let place = Workplace::new();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/transfer-frame-leak.case");
    let text = fs::read_to_string(corpus).expect("a case");
    // The bug is repaired, and what guards against it says so.
    let repaired = text.lines().filter(|line| !line.starts_with("bug ")).map(|line| format!("{line}\n"));
    place.write("cases/repaired.case", &repaired.collect::<String>());
    let ran = place.run(&format!("ci {SMALL} {FILES} --regressions cases")).left_with(FOUND);
    assert!(ran.stdout.contains("cases/repaired.case: "), "{}", ran.stdout);
    let suites = suites(&place);
    assert_eq!((suites[0].failures, suites[1].failures), (1, 0));
    let result = &run_of(&place)["results"][0];
    assert_eq!(result["ruleId"], "regression");
    assert_eq!(
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        Value::from("cases/repaired.case")
    );
}

#[test]
fn a_damaged_regression_case_is_an_error_that_names_it() {
    let place = Workplace::new();
    place.write("tests/corpus/damaged.case", "threadbare case 1\nruntime bundled\n");
    let ran = place.run(&format!("ci {SMALL} {FILES}")).refused(&["tests/corpus/damaged.case"]);
    assert!(ran.stdout.contains("1,000 executions"), "it keeps nothing else from being done: {}", ran.stdout);
}

#[test]
fn regression_cases_that_are_not_there_are_an_error_only_if_they_were_named() {
    let place = Workplace::new();
    place.run(&format!("ci {SMALL} --regressions missing")).refused(&["missing"]);
    fs::create_dir(place.path().join("empty")).expect("a directory");
    place.run(&format!("ci {SMALL} --regressions empty")).refused(&["nothing to replay", "empty"]);
    let ran = place.run(&format!("ci {SMALL}")).left_with(CLEAN);
    assert!(ran.stdout.contains("0 cases"), "{}", ran.stdout);
}

#[test]
fn files_that_cannot_be_written_are_refused_before_anything_runs() {
    let place = Workplace::new();
    for flag in ["--junit", "--sarif", "--json"] {
        let ran = place.run(&format!("ci --budget 9m {flag} missing/out")).refused(&["missing/out", "directory"]);
        assert!(ran.stdout.is_empty(), "{}", ran.stdout);
        place.run(&format!("ci --budget 9m {flag} .")).refused(&["is a directory"]);
    }
}

#[test]
fn nothing_to_do_is_refused() {
    let place = Workplace::new();
    place.run("ci --budget 0").refused(&["--budget", "1h 30m"]);
    place.run("ci --executions 0").refused(&["executions"]);
    place.run("ci --bug nonsense").refused(&["nonsense", "lost-notify"]);
}

#[test]
fn check_and_fuzz_write_the_same_files_without_regression_cases() {
    let place = Workplace::new();
    place.write("wrong.c", "int main(void) { return 1; }\n");
    place.run(&format!("check wrong.c --sanitizer none --executions 10 {FILES}")).left_with(FOUND);
    let [wrong] = &suites(&place)[..] else { panic!("one suite") };
    assert_eq!((wrong.name.as_str(), names(wrong), wrong.failures), ("wrong", vec!["none"], 1));
    let run = run_of(&place);
    assert_eq!(run["results"][0]["ruleId"], "exit-status");
    assert_eq!(run["properties"]["targets"][0]["executions"], 10);
    assert_eq!(place.json("out.json")["executions"], 10);

    place.run(&format!("fuzz {SMALL} {FILES}")).left_with(CLEAN);
    let [fuzz] = &suites(&place)[..] else { panic!("one suite") };
    assert_eq!((fuzz.name.as_str(), fuzz.failures), ("fuzz", 0));
    assert_eq!(run_of(&place)["properties"]["executions"], 1000);
}
