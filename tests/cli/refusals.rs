//! What the command line cannot do, it refuses with one clear error and exit code 2.

use std::fs;

use crate::command::{CLEAN, Workplace};

#[test]
fn thread_counts_out_of_bounds_are_refused_with_the_bound() {
    let place = Workplace::new();
    place.run("fuzz --threads 0").refused(&["1 to 256"]);
    place.run("fuzz --threads 1,100000").refused(&["100000", "1 to 256"]);
}

#[test]
fn unknown_names_are_refused_with_those_that_are_known() {
    let place = Workplace::new();
    place.run("fuzz --bug nonsense").refused(&["nonsense", "lost-notify"]);
    place.run("bugs nonsense").refused(&["nonsense", "lost-notify"]);
    place.run("fuzz --runtime nonsense").refused(&["nonsense", "bundled"]);
    place.run("fuzz --sanitizer nonsense").refused(&["nonsense", "thread"]);
    place.run("fuzz --strategy nonsense").refused(&["nonsense", "random"]);
    place.run("fuzz --strategy pct:0").refused(&["pct:0", "1 to 100"]);
    place.run("fuzz --strategy rff").refused(&["rff", "learns", "random, pct or pos"]);
    place.run("fuzz --engine nonsense").refused(&["nonsense", "free"]);
    place.run("fuzz --nonsense").refused(&["--nonsense"]);
}

#[test]
fn nothing_to_do_is_refused() {
    let place = Workplace::new();
    place.run("fuzz --executions 0").refused(&["executions"]);
    place.run("fuzz --seconds 0").refused(&["seconds"]);
    place.run("check a.c --budget soon").refused(&["--budget", "1h 30m"]);
    place.run("fuzz --jobs 0").refused(&["jobs"]);
    place.run("fuzz --size 0").refused(&["size"]);
    place.run("replay").refused(&["nothing to replay", "threadbare.toml", "name a directory"]);
    place.run("check").refused(&["nothing to check", "threadbare.toml"]);
}

#[test]
fn an_unwritable_findings_directory_is_refused_before_anything_runs() {
    let place = Workplace::new();
    fs::write(place.path().join("file"), "").expect("written");
    let ran = place.run("fuzz --findings file/findings --seconds 60").refused(&["file/findings", "--findings"]);
    assert!(!ran.stdout.contains("executions"), "{}", ran.stdout);
}

#[test]
fn an_empty_directory_and_a_missing_file_are_refused_with_the_next_step() {
    let place = Workplace::new();
    fs::create_dir(place.path().join("empty")).expect("a directory");
    place.run("replay empty").refused(&["nothing to replay", "empty", "threadbare fuzz"]);
    place.run("replay missing.case").refused(&["missing.case"]);
    place.run("show missing.case").refused(&["missing.case"]);
}

#[test]
fn files_that_are_no_cases_are_refused_by_name() {
    let place = Workplace::new();
    let contents: [(&str, &[u8]); 6] = [
        ("empty", b""),
        ("binary", &[0xff, 0xfe, 0x00, 0x80]),
        ("foreign", b"{\"a\": 1}\n"),
        ("truncated", b"threadbare case 1\nruntime bundled\n"),
        ("future", b"threadbare case 999\nruntime bundled\n"),
        ("hostile", b"threadbare case 1\nruntime bundled\nthreads 99999999999999999999\n"),
    ];
    for (name, content) in contents {
        fs::write(place.path().join(format!("{name}.case")), content).expect("written");
        for arguments in [format!("replay {name}.case"), format!("show {name}.case")] {
            place.run(&arguments).refused(&[&format!("{name}.case")]);
        }
    }
    place.run("replay future.case").refused(&["update"]);
}

#[test]
fn a_case_that_cannot_be_replayed_is_named_and_the_others_are_replayed() {
    let place = Workplace::new();
    let known = fs::read_to_string("tests/corpus/lost-notify.case").expect("a case");
    place.write("cases/b.case", &known);
    place.write("cases/a.case", &known.replace("runtime bundled", "runtime folly"));
    place.run("replay cases/a.case").refused(&["cases/a.case: no runtime `folly`", "bundled"]);
    place.write("cases/c.case", &known.replace("bug lost-notify", "bug gone"));
    place.write("cases/d.case", "threadbare case 1\n");
    let ran = place.run("replay cases --json out.json").refused(&[
        "3 files",
        "cases/a.case: no runtime `folly`",
        "cases/c.case: no bug `gone`",
        "cases/d.case: ",
    ]);
    assert!(ran.stdout.contains("cases/b.case: as expected"), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 case: 1 as expected"), "{}", ran.stdout);
    let json = place.json("out.json");
    assert_eq!((&json["cases"], &json["as_expected"]), (&1.into(), &1.into()));
    let refused = json["refused"].as_array().expect("a list");
    let paths: Vec<&str> = refused.iter().filter_map(|refused| refused["path"].as_str()).collect();
    assert_eq!(paths, ["cases/a.case", "cases/c.case", "cases/d.case"]);
    assert!(refused[1]["why"].as_str().is_some_and(|why| why.contains("threadbare targets")), "{json}");
}

#[test]
fn targets_lists_the_bundled_runtime_and_its_bugs() {
    let ran = Workplace::new().run("targets").left_with(CLEAN);
    for word in ["bundled", "transfer-moved-task", "relaxed-publish", "compiler", "free"] {
        assert!(ran.stdout.contains(word), "no {word} in: {}", ran.stdout);
    }
}
