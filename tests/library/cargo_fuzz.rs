//! cargo-fuzz as people type it: with no option and with each sanitizer, a target runs clean or says what to type.

use std::path::Path;
use std::process::{Command, Output};

#[path = "../../fuzz/choice.rs"]
mod choice;

use choice::choose;

#[test]
fn the_cpp_has_the_sanitizer_that_cargo_fuzz_asks_for_unless_the_environment_names_another() {
    for sanitizer in ["thread", "address"] {
        assert_eq!(choose(sanitizer, ""), Ok(sanitizer));
    }
    assert_eq!(choose("", ""), Ok("none"));
    for rustc in ["", "address", "memory"] {
        for sanitizer in ["none", "thread", "address"] {
            assert_eq!(choose(rustc, sanitizer), Ok(sanitizer));
        }
    }
}

#[test]
fn a_sanitizer_that_cannot_be_had_is_refused_with_a_command_that_works() {
    let error = choose("memory", "").expect_err("no such runtime");
    assert!(error.contains("memory") && error.contains("`cargo +nightly fuzz run TARGET`"), "{error}");
    assert!(error.contains("`THREADBARE_SANITIZER=thread cargo +nightly fuzz run TARGET -s none`"), "{error}");
    let error = choose("", "leak").expect_err("no such name");
    assert!(error.contains("THREADBARE_SANITIZER=leak") && error.contains("none, thread or address"), "{error}");
}

/// `cargo +nightly fuzz run …` in the project's folder, in a target directory that is kept.
fn fuzz(arguments: &str, environment: &[(&str, &str)]) -> Output {
    let corpus = tempfile::tempdir().expect("a directory");
    let mut words = arguments.splitn(2, " -- ");
    let before = words.next().unwrap_or_default().split_whitespace();
    // Through rustup, not the cargo that runs this test.
    Command::new("cargo")
        .args(["+nightly", "fuzz", "run"])
        .args(before)
        .arg(corpus.path())
        .arg("--")
        .args(words.next().unwrap_or_default().split_whitespace())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cargo-fuzz"))
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove(choice::VARIABLE)
        .envs(environment.iter().copied())
        .output()
        .expect("cargo runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn assert_clean(output: &Output, runs: u32) {
    let said = said(output);
    assert!(output.status.success() && said.contains(&format!("Done {runs} runs")), "{said}");
}

fn assert_installed() {
    let installed =
        Command::new("cargo").args(["+nightly", "fuzz", "--version"]).env_remove("RUSTUP_TOOLCHAIN").output();
    assert!(
        installed.is_ok_and(|output| output.status.success()),
        "cargo-fuzz or the toolchain nightly is missing: `rustup toolchain install nightly && cargo install cargo-fuzz`"
    );
}

#[test]
#[ignore = "builds the fuzz targets for each sanitizer, which takes many minutes: ci/nightly.sh runs it"]
fn every_target_runs_clean_as_a_newcomer_types_it() {
    assert_installed();
    for option in ["", "-s none", "-s address"] {
        for target in ["differential", "lease"] {
            assert_clean(&fuzz(&format!("{option} {target} -- -runs=20000 -seed=1"), &[]), 20_000);
        }
        for target in ["text", "history"] {
            assert_clean(&fuzz(&format!("{option} {target} -- -runs=2000 -seed=1"), &[]), 2_000);
        }
    }
    let thread = fuzz("-s none differential -- -runs=20000 -seed=1", &[(choice::VARIABLE, "thread")]);
    assert_clean(&thread, 20_000);
    let memory = fuzz("-s memory differential -- -runs=1", &[]);
    assert!(!memory.status.success());
}

#[test]
#[ignore = "builds the standard library for ThreadSanitizer, which takes many minutes: ci/nightly.sh runs it"]
fn with_a_standard_library_of_its_own_a_target_runs_clean_under_thread_sanitizer() {
    assert_installed();
    assert_clean(&fuzz("-s thread --build-std differential -- -runs=20000 -seed=1", &[]), 20_000);
    let refused = fuzz("-s thread --build-std text -- -runs=1", &[]);
    let said = said(&refused);
    assert!(!refused.status.success() && said.contains("`cargo +nightly fuzz run text -s none`"), "{said}");
}
