//! What other projects' CI takes from here: the action, the template, the image and the release.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The scripts of ci/ that a file names.
fn scripts(text: &str) -> BTreeSet<String> {
    let named = text.split("ci/").skip(1);
    let names = named.filter_map(|rest| {
        rest.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter))).next()
    });
    names.filter(|name| name.ends_with(".sh")).map(str::to_owned).collect()
}

#[test]
fn every_script_that_is_named_is_there_and_is_a_script() {
    for file in ["action.yml", "ci/gitlab.yml", "Containerfile", ".github/workflows/release.yml", ".ci/run"] {
        for script in scripts(&read(file)) {
            let path = root().join("ci").join(&script);
            let metadata = fs::metadata(&path).unwrap_or_else(|error| panic!("{file} names {script}: {error}"));
            let is_called = file.ends_with("release.yml");
            assert!(!is_called || metadata.permissions().mode() & 0o111 != 0, "{file} starts {script}");
            let parsed = Command::new("bash").arg("-n").arg(&path).status().expect("bash runs");
            assert!(parsed.success(), "{script}");
        }
    }
    assert!(scripts(&read("action.yml")).contains("explore.sh"));
}

#[test]
fn a_release_has_the_archive_that_binstall_fetches() {
    let manifest = read("Cargo.toml");
    let (_, binstall) = manifest.split_once("[package.metadata.binstall]").expect("a table");
    let of = |key: &str| {
        let value = binstall.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
        value.and_then(|value| value.strip_suffix('"')).expect("text")
    };
    let archive = of("pkg-url").rsplit('/').next().expect("a name");
    assert_eq!(archive, "threadbare-{ target }.tar.gz");
    assert_eq!(of("bin-dir"), "threadbare-{ target }/{ bin }{ binary-ext }");
    let script = read("ci/package.sh");
    for line in ["name=threadbare-$target", r#"-czf "dist/$name.tar.gz" "$name""#, r#"/dist/threadbare" LICENSE"#] {
        assert!(script.contains(line), "{line}");
    }
    assert!(read(".github/workflows/release.yml").contains("dist/*.tar.gz"));
}

/// With a `threadbare` that tells its arguments.
#[test]
fn the_action_explores_with_all_reports_and_further_arguments() {
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("threadbare");
    fs::write(&program, "#!/bin/sh\necho \"$@\"\n").expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("set");
    let path =
        std::env::join_paths([PathBuf::from(directory.path()), "/usr/bin".into(), "/bin".into()]).expect("a path");
    for (arguments, told) in [("", ""), ("--budget 10m --seed 3", " --budget 10m --seed 3")] {
        let mut command = Command::new("bash");
        command.arg(root().join("ci/explore.sh")).current_dir(directory.path()).env("PATH", &path);
        let output = command.env("ARGUMENTS", arguments).env("REPORTS", "out").output().expect("bash runs");
        let expected = format!(
            "ci --findings out/findings --junit out/junit.xml --sarif out/threadbare.sarif --json out/ci.json{told}\n"
        );
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    }
}
