//! What a fuzz target saves is the input that failed: it fails again in a fresh process, under every sanitizer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{CLEAN, FOUND, Workplace};
use threadbare::target::Toolchain;

/// Of each sanitizer a bug that only it sees, or that it is not needed for. A report of ThreadSanitizer does not end the
/// process, one of AddressSanitizer does.
const BUGS: [(&str, &str); 3] =
    [("none", "lost-notify"), ("thread", "relaxed-publish"), ("address", "continuation-early-resume")];
/// Inputs without a finding after which a target gives up. Each bug needs a few hundred.
const MOST: u32 = 200_000;
const REPLAYS: u64 = 5;

/// Builds the target `differential` with a bug as docs/fuzzing.md says.
fn build(sanitizer: &str, bug: &str) -> PathBuf {
    // Kept, so that only what changed is built the next time.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    let output = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--bin", "differential"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz"))
        .env("CARGO_TARGET_DIR", &target)
        .env("CXX", Toolchain::find(None).expect("a compiler").compiler)
        .env("THREADBARE_SANITIZER", sanitizer)
        .env("THREADBARE_BUG", bug)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target.join("release/differential")
}

/// Lets the target, which has the bug, search from nothing, and replays what it saves.
fn search_and_replay(differential: &Path, sanitizer: &str, bug: &str, seed: u32) {
    let place = Workplace::new();
    fs::create_dir(place.path().join("saved")).expect("a folder");
    let run = Command::new(differential)
        .args([format!("-seed={seed}"), format!("-runs={MOST}"), "-artifact_prefix=saved/".to_owned()])
        .current_dir(place.path())
        .output()
        .expect("the target runs");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(!run.status.success(), "{bug}: no finding in {MOST} inputs, seed {seed}:\n{said}");
    let saved = fs::read_dir(place.path().join("saved")).expect("a folder").flatten();
    let names: Vec<String> = saved.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(names.len() == 1 && names[0].starts_with("crash-"), "{bug}, seed {seed}: saved {names:?}:\n{said}");

    let replay = format!("replay saved --sanitizer {sanitizer} --repeat {REPLAYS}");
    place.run(&format!("{replay} --bug {bug} --json replays.json")).left_with(FOUND);
    let result = &place.json("replays.json")["results"][0];
    assert_eq!(result["replays"], REPLAYS, "{bug}, seed {seed}: {result}");
    let shown = result["verdicts"].as_object().expect("verdicts");
    let failed = shown.iter().filter(|(verdict, _)| *verdict != "clean").filter_map(|(_, times)| times.as_u64());
    assert_eq!(failed.sum::<u64>(), REPLAYS, "{bug}, seed {seed}: {result}");
    // The bug is what fails, not something beside it.
    place.run(&replay).left_with(CLEAN);
}

#[test]
#[ignore = "builds a fuzz target three times, which takes minutes: ci/nightly.sh runs it"]
fn what_a_target_saves_fails_again_in_a_fresh_process() {
    for (sanitizer, bug) in BUGS {
        let differential = build(sanitizer, bug);
        for seed in 1..=3 {
            search_and_replay(&differential, sanitizer, bug, seed);
        }
    }
}
