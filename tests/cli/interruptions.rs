//! Signals: a campaign that is interrupted ends with its summary, one that is killed leaves nothing torn.

use std::fs;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::command::{CLEAN, COULD_NOT, FOUND, Ran, Workplace};
use quick_junit::Report;

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill runs");
    assert!(status.success());
}

/// The workers of a process that still run.
fn workers_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        fields.get(1).and_then(|ppid| ppid.parse().ok()) == Some(parent)
    })
    .filter(|id| is_worker(*id))
    .collect()
}

fn runs(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

fn wait_until(mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if condition() {
            return true;
        }
        sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn an_interrupted_campaign_ends_with_its_summary() {
    let place = Workplace::new();
    let child = place.start("fuzz --seconds 100 --sanitizer none --json out.json");
    assert!(wait_until(|| !workers_of(child.id()).is_empty()));
    sleep(Duration::from_millis(1500));
    signal(&child, "-INT");
    let ran = Ran::from(child.wait_with_output().expect("it ends")).left_with(CLEAN);
    assert!(ran.stdout.contains("interrupted after"), "{}", ran.stdout);
    let json = place.json("out.json");
    assert_eq!(json["interrupted"], true);
    assert!(json["executions"].as_u64().is_some_and(|executions| executions > 0));
}

#[test]
fn what_a_worker_does_that_somebody_else_ends_is_done_again_and_is_no_finding() {
    let place = Workplace::new();
    // It takes its time, so that a worker is there for long.
    place.write("right.c", "int main(void) { for (volatile int i = 0; i < 5000; ++i) {} return 0; }\n");
    for name in ["-SEGV", "-KILL", "-TERM"] {
        let child = place.start("check right.c --sanitizer none --seconds 1000 --jobs 1 --json out.json");
        let begun =
            |former: u32| workers_of(child.id()).into_iter().find(|&worker| worker != former && ticks(worker) > 5);
        let mut worker = None;
        assert!(wait_until(|| {
            worker = begun(0);
            worker.is_some()
        }));
        let former = worker.expect("it runs");
        let killed = Command::new("kill").args([name, &former.to_string()]).status().expect("kill runs");
        assert!(killed.success());
        assert!(wait_until(|| begun(former).is_some()), "{name}");
        signal(&child, "-INT");
        let ran = Ran::from(child.wait_with_output().expect("it ends")).left_with(CLEAN);
        assert!(ran.stdout.contains("once a worker was ended by another process"), "{}", ran.stdout);
        assert_eq!(place.json("out.json")["begun_again"], 1);
    }
}

/// The CPU time of a process, in ticks.
fn ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    fields.get(11).and_then(|ticks| ticks.parse().ok()).unwrap_or_default()
}

fn is_worker(process: u32) -> bool {
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    line.split(|&byte| byte == 0).any(|word| word == b"worker")
}

#[test]
fn what_a_check_found_before_it_was_interrupted_is_replayed_and_reported() {
    let place = Workplace::new();
    // Always wrong, in more ways than can be tried.
    let source = "#include <pthread.h>\n#include <stdatomic.h>\n\
        static atomic_int steps;\n\
        static void *work(void *unused) { for (int step = 0; step < 9; ++step) ++steps; return unused; }\n\
        int main(void) {\n\
          pthread_t threads[4];\n\
          for (int number = 0; number < 4; ++number) pthread_create(&threads[number], 0, work, 0);\n\
          for (int number = 0; number < 4; ++number) pthread_join(threads[number], 0);\n\
          return 1;\n\
        }\n";
    place.write("wrong.c", source);
    let child = place.start("check wrong.c --strategy exhaustive --sanitizer none --seconds 1000 --json out.json");
    // Its first execution is over by then, and with it the only finding.
    let has_worked = |worker: &u32| ticks(*worker) > 30;
    assert!(wait_until(|| workers_of(child.id()).iter().any(has_worked)));
    signal(&child, "-INT");
    let ran = Ran::from(child.wait_with_output().expect("it ends")).left_with(FOUND);
    assert!(ran.stdout.contains("interrupted after"), "{}", ran.stdout);
    let json = place.json("out.json");
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(1));
    assert_eq!(json["findings"][0]["confirmed"], true);
}

#[test]
fn an_interrupted_ci_run_still_writes_its_files() {
    let place = Workplace::new();
    let child = place.start("ci --budget 9m --sanitizer none --junit junit.xml --sarif out.sarif");
    assert!(wait_until(|| !workers_of(child.id()).is_empty()));
    signal(&child, "-INT");
    let ran = Ran::from(child.wait_with_output().expect("it ends"));
    let run = place.json("out.sarif")["runs"][0].clone();
    assert_eq!(run["properties"]["interrupted"], true);
    // What was not executed was not found clean.
    let ran = ran.left_with(COULD_NOT);
    assert!(ran.stdout.contains("interrupted after"), "{}", ran.stdout);
    let junit = fs::read_to_string(place.path().join("junit.xml")).expect("the JUnit file was written");
    Report::deserialize_from_str(&junit).expect("JUnit");
}

#[test]
fn a_killed_campaign_takes_its_workers_along_and_leaves_whole_cases() {
    let place = Workplace::new();
    let mut child = place.start("fuzz --seconds 100 --threads 2,4 --sanitizer none --bug transfer-frame-leak");
    assert!(wait_until(|| !place.cases("findings").is_empty()));
    assert!(wait_until(|| !workers_of(child.id()).is_empty()));
    let workers = workers_of(child.id());
    signal(&child, "-KILL");
    child.wait().expect("it ends");
    assert!(wait_until(|| workers.iter().all(|worker| !runs(*worker))));
    place.run("replay findings").left_with(CLEAN);
}

#[test]
fn measuring_on_examples_ends_at_the_first_signal() {
    let place = Workplace::new();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/check");
    let child = place.start(&format!("bench --examples {examples} --sanitizer none"));
    assert!(wait_until(|| !workers_of(child.id()).is_empty()));
    signal(&child, "-INT");
    let start = Instant::now();
    let ran = Ran::from(child.wait_with_output().expect("it ends")).refused(&["interrupted"]);
    assert!(start.elapsed() < Duration::from_secs(20), "{ran:?}");
}
