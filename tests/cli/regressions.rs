//! The regression corpus: for every seeded bug a case that shows it, and that is clean once the bug is off.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{CLEAN, Workplace, has_clang};
use threadbare::case::Case;
use threadbare::model::verdict::Verdict;
use threadbare::target::bundled::BUGS;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn cases() -> Vec<(PathBuf, Case)> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(corpus()).expect("the corpus").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), Case::read(&path).expect("a case"))).collect()
}

#[test]
fn there_is_a_case_for_every_bug_and_none_besides() {
    let mut bugs = BUGS.map(|bug| bug.name.to_owned());
    bugs.sort();
    let mut named: Vec<String> =
        cases().into_iter().map(|(_, case)| case.settings.bug.expect("a case of a bug")).collect();
    named.sort();
    assert_eq!(named, bugs);
    for (path, case) in cases() {
        let bug = case.settings.bug.expect("a case of a bug");
        assert_eq!(path.file_stem().and_then(|stem| stem.to_str()), Some(bug.as_str()));
        assert_ne!(case.verdict, Verdict::Clean, "{bug}");
    }
}

/// Schedules are of one compiler's code: with another one, other calls are inlined and ordered differently where C++
/// leaves the order open. So they are replayed with clang, which recorded them.
#[test]
fn every_case_shows_its_bug() {
    if !has_clang() {
        return;
    }
    let place = Workplace::new();
    place.run(&format!("replay {} --json out.json", corpus().display())).left_with(CLEAN);
    let replayed = place.json("out.json");
    assert_eq!(replayed["as_expected"].as_u64(), Some(cases().len() as u64), "{replayed}");
}

#[test]
fn every_case_is_clean_without_its_bug() {
    let place = Workplace::new();
    for (path, mut case) in cases() {
        // The code is another one, so the strategy makes the choices.
        case.settings.bug = None;
        case.schedule = None;
        case.oracle = None;
        case.verdict = Verdict::Clean;
        case.report = String::new();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        fs::write(place.path().join(name), case.to_string()).expect("written");
    }
    place.run("replay . --json out.json").left_with(CLEAN);
    assert_eq!(place.json("out.json")["as_expected"].as_u64(), Some(cases().len() as u64));
}
