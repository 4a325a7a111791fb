//! Coverage-guided campaigns and the corpora that they share.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::command::{CLEAN, FOUND, Workplace};
use serde_json::Value;
use threadbare::input::Input;

const SMALL: &str = "fuzz --search coverage-guided --sanitizer none --threads 2,4 --seed 7";

/// The inputs of a corpus, by name; every file in it must be a whole one.
fn inputs(directory: &Path) -> BTreeSet<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).expect("a corpus").flatten();
    let files = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    let whole = files.filter(|(name, _)| !name.starts_with(".partial-"));
    whole
        .map(|(name, path)| {
            let bytes = fs::read(&path).expect("readable");
            Input::decode(&bytes).unwrap_or_else(|why| panic!("{name}: {why}"));
            (name, bytes)
        })
        .collect()
}

fn number(json: &Value, place: &str) -> u64 {
    json.pointer(place).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {place} in {json}"))
}

#[test]
fn the_same_seed_executions_and_corpus_are_the_same_campaign_however_many_workers() {
    let place = Workplace::new();
    for jobs in [1, 3] {
        let flags = format!("--executions 3000 --jobs {jobs} --corpus corpus-{jobs} --json {jobs}.json");
        place.run(&format!("{SMALL} {flags}")).left_with(CLEAN);
    }
    let (one, three) = (place.json("1.json"), place.json("3.json"));
    assert_eq!(number(&one, "/executions"), 3000);
    assert_eq!(one["corpus"], three["corpus"]);
    assert!(number(&one, "/corpus/added") > 0, "{one}");
    let corpus = inputs(&place.path().join("corpus-1"));
    assert_eq!(corpus.len() as u64, number(&one, "/corpus/inputs"));
    assert_eq!(corpus, inputs(&place.path().join("corpus-3")));
}

#[test]
fn what_fails_changes_nothing_about_that() {
    let place = Workplace::new();
    for jobs in [1, 3] {
        let flags =
            format!("--bug lost-notify --executions 2000 --jobs {jobs} --corpus corpus-{jobs} --json {jobs}.json");
        place.run(&format!("{SMALL} {flags} --findings findings-{jobs}")).left_with(FOUND);
    }
    let (one, three) = (place.json("1.json"), place.json("3.json"));
    assert_eq!(one["corpus"], three["corpus"]);
    assert_eq!(one["task_graphs"], three["task_graphs"]);
    let fingerprints = |json: &Value| -> BTreeSet<String> {
        let findings = json["findings"].as_array().expect("findings");
        findings.iter().map(|finding| finding["fingerprint"].to_string()).collect()
    };
    assert_eq!(fingerprints(&one), fingerprints(&three));
    assert_eq!(inputs(&place.path().join("corpus-1")), inputs(&place.path().join("corpus-3")));
}

#[test]
fn a_campaign_goes_on_from_the_corpus_that_another_left() {
    let place = Workplace::new();
    place.run(&format!("{SMALL} --executions 2000 --corpus corpus --json first.json")).left_with(CLEAN);
    let before = inputs(&place.path().join("corpus"));
    let again = SMALL.replace("--seed 7", "--seed 8");
    place.run(&format!("{again} --executions 4000 --corpus corpus --json second.json")).left_with(CLEAN);
    let second = place.json("second.json");
    let added = number(&second, "/corpus/added");
    assert_eq!(number(&second, "/corpus/inputs"), before.len() as u64 + added);
    assert!(before.is_subset(&inputs(&place.path().join("corpus"))));
    // Who begins with nothing has more to find.
    place.run(&format!("{again} --executions 4000 --corpus other --json other.json")).left_with(CLEAN);
    let other = number(&place.json("other.json"), "/corpus/added");
    assert!(added < other * 3 / 4, "{added} beside {} that were there, {other} without", before.len());
}

#[test]
fn a_coverage_guided_campaign_finds_a_bug_whose_case_replays() {
    let place = Workplace::new();
    let ran = place.run(&format!("{SMALL} --bug lost-notify --executions 2000 --json out.json")).left_with(FOUND);
    let json = place.json("out.json");
    assert_eq!(json["findings"][0]["verdict"], "lost-wakeup", "{}", ran.stdout);
    assert_eq!(json["findings"][0]["confirmed"], true);
    place.run("replay findings --repeat 20").left_with(CLEAN);
    place.run("replay findings --engine threads").left_with(CLEAN);
}

#[test]
fn what_workers_did_before_they_died_counts() {
    let place = Workplace::new();
    place.run(&format!("{SMALL} --bug transfer-moved-task --executions 1000 --json out.json")).left_with(FOUND);
    let json = place.json("out.json");
    let (executions, task_graphs) = (number(&json, "/executions"), number(&json, "/task_graphs"));
    assert!(
        executions == 1_000 && task_graphs > executions / 2,
        "{task_graphs} task graphs in {executions} executions"
    );
}

#[test]
fn a_killed_campaign_leaves_whole_inputs_and_two_at_once_do_no_harm() {
    let place = Workplace::new();
    let campaign = "fuzz --search coverage-guided --sanitizer none --threads 2 --seconds 100 --corpus corpus --jobs 1";
    let mut both = [place.start(&format!("{campaign} --seed 1")), place.start(&format!("{campaign} --seed 2"))];
    let corpus = place.path().join("corpus");
    let count = || fs::read_dir(&corpus).map_or(0, |entries| entries.count());
    let start = Instant::now();
    while count() < 30 {
        assert!(start.elapsed() < Duration::from_secs(300), "nothing is kept");
        sleep(Duration::from_millis(20));
    }
    for child in &mut both {
        assert!(Command::new("kill").args(["-KILL", &child.id().to_string()]).status().expect("kill runs").success());
        child.wait().expect("it ends");
    }
    let left = inputs(&corpus);
    assert!(!left.is_empty());
    place.run(&format!("{SMALL} --executions 500 --corpus corpus --json out.json")).left_with(CLEAN);
    assert!(number(&place.json("out.json"), "/corpus/inputs") >= left.len() as u64);
}

#[test]
fn a_corpus_is_minimised_exported_and_imported() {
    let place = Workplace::new();
    place.run(&format!("{SMALL} --executions 1500 --corpus corpus")).left_with(CLEAN);
    let before = inputs(&place.path().join("corpus"));
    let first = place.run("corpus minimise corpus").left_with(CLEAN);
    let after = inputs(&place.path().join("corpus"));
    assert!(after.len() < before.len() && after.is_subset(&before), "{}", first.stdout);
    let second = place.run("corpus minimise corpus").left_with(CLEAN);
    assert!(second.stdout.contains(" 0 of them removed"), "{}", second.stdout);
    let reached = |text: &str| -> u64 {
        let digits: String =
            text.split("; ").nth(1).expect("what is reached").chars().filter(char::is_ascii_digit).collect();
        digits.parse().expect("a number")
    };
    // What an input reaches depends neither on the process nor on the inputs before it.
    assert_eq!(reached(&first.stdout), reached(&second.stdout));

    place.run("corpus export corpus out").left_with(CLEAN);
    place.run("corpus import other out").left_with(CLEAN);
    assert_eq!(after, inputs(&place.path().join("other")));
    place.run("corpus export corpus cases --format case").left_with(CLEAN);
    assert_eq!(place.cases("cases").len(), after.len());

    // Nobody writes to the pipe, and two locks in opposite orders are no bug of a runtime.
    assert!(Command::new("mkfifo").arg(place.path().join("out/pipe")).status().expect("mkfifo runs").success());
    let inverted = "\ntask-graph\n objects\n mutexes 2\n task 0 main int\n when-all 1 2\n task 1 worker int\n lock 0\n lock 1\n \
        unlock 1\n unlock 0\n task 2 worker int\n lock 1\n lock 0\n unlock 0\n unlock 1\n end";
    let case = fs::read_to_string(&place.cases("cases")[0]).expect("a case");
    let (head, _) = case.split_once("\ntask-graph\n").expect("a case has a task graph");
    place.write("out/inverted.case", &format!("{head}{inverted}\n"));
    let imported = place.run("corpus import other out").left_with(CLEAN);
    assert!(imported.stdout.contains("inverted.case: its task graph can get stuck"), "{}", imported.stdout);

    place.write("corpus/notes.txt", "noise");
    let stats = place.run("corpus stats corpus --json stats.json").left_with(CLEAN);
    assert!(stats.stdout.contains("notes.txt: not an input"), "{}", stats.stdout);
    assert_eq!(number(&place.json("stats.json"), "/inputs"), after.len() as u64);
}

#[test]
fn what_cannot_be_done_is_refused() {
    let place = Workplace::new();
    place.write("file", "");
    place
        .run("fuzz --executions 10 --sanitizer none --corpus file/corpus")
        .refused(&["file/corpus", "another directory"]);
    place
        .run("fuzz --executions 10 --sanitizer none --search generational --corpus c")
        .refused(&["--search coverage-guided"]);
    place.run("fuzz --executions 10 --sanitizer none --search coverage-guided --strategy pct").refused(&["--strategy"]);
    place
        .run("fuzz --executions 10 --sanitizer none --search coverage-guided --engine free")
        .refused(&["--search generational"]);
    place.run("corpus minimise missing").refused(&["missing"]);
    place.run("corpus stats file").refused(&["file"]);
    place.run("corpus import corpus missing").refused(&["missing"]);
    place.run("corpus minimise corpus --runtime none").refused(&["none"]);
    place.run("fuzz --executions 10 --sanitizer none --json missing/out.json").refused(&["missing/out.json"]);
    let ran = place.run("fuzz --feedback colours");
    assert!(ran.code == Some(2) && ran.stderr.contains("`colours` is no kind of feedback"), "{}", ran.stderr);
}
