//! What `threadbare.toml` saves from being typed, and what is told about mistakes in it.

use std::fs;

use crate::command::{CLEAN, COULD_NOT, FOUND, Workplace};

/// Two threads add to a plain counter; with `EXPECTED` 0 nothing is asserted.
const COUNTER: &str = r#"
#include "settings.h"
#include <assert.h>
#include <pthread.h>

static int counter;

static void *add(void *argument) {
  counter++;
  return argument;
}

int main(int count, char **arguments) {
  pthread_t thread;
  pthread_create(&thread, NULL, add, NULL);
  add(NULL);
  pthread_join(thread, NULL);
  assert(counter == EXPECTED || count > 1);
  return 0;
}
"#;

/// A runtime of one's own, which is the bundled one behind an adapter.
const ADAPTER: &str = r#"
#include "adapters/bundled/scheduler.hpp"
#include "settings.h"

THREADBARE_RUNTIME(threadbare::BundledAdapter<threadbare::runtime::Correct>)
"#;

const DEFAULTS: &str = "[defaults]\nsanitizers = [\"none\"]\nthreads = [2]\njobs = 1\nfindings = \"found\"\n";
const PROGRAM: &str = "[program.counter]\nsources = [\"src/*.c\"]\ninclude = [\"include\"]\n";
const RUNTIME: &str = "[runtime.mine]\nsources = [\"runtime/adapter.cpp\"]\ninclude = [\"include\"]\n";

/// A workplace with sources and this project file.
fn project(tables: &[&str]) -> Workplace {
    let place = Workplace::new();
    place.write("src/counter.c", COUNTER);
    place.write("runtime/adapter.cpp", ADAPTER);
    place.write("include/settings.h", "#define EXPECTED 2\n");
    place.write("threadbare.toml", &tables.concat());
    place
}

#[test]
fn a_program_is_checked_by_its_name_and_replayed_without_flags() {
    let place = project(&[DEFAULTS, "cases = [\".\"]\n", PROGRAM]);
    let ran = place.run("check counter --executions 500 --stop-at-first").left_with(FOUND);
    assert!(ran.stdout.contains("failed-assertion (none, "), "{}", ran.stdout);
    assert_eq!(place.cases("found").len(), 1);
    let replayed = |folder| place.run_in(folder, "replay", &[]).left_with(CLEAN).stdout;
    assert!(replayed(".").contains("1 case: 1 as expected"));
    assert!(replayed("include").contains("1 case: 1 as expected"));
}

#[test]
fn a_program_is_the_same_whatever_directory_it_is_checked_from() {
    let place = project(&[DEFAULTS, PROGRAM]);
    let check = "check counter --executions 500 --stop-at-first";
    place.run(check).left_with(FOUND);
    let known = place.cases("found");
    // What is said about it names lines as they are seen from where one is.
    let replayed = || fs::read_to_string(&known[0]).expect("a case").split("report\n").next().map(str::to_owned);
    let before = replayed();
    place.run_in("src", check, &[]).left_with(FOUND);
    assert_eq!(place.cases("found"), known);
    assert_eq!(replayed(), before);
}

#[test]
fn the_command_line_comes_before_the_file() {
    let place = project(&[DEFAULTS, PROGRAM, "arguments = [\"lenient\"]\n"]);
    place.run("check counter --executions 300").left_with(CLEAN);
    place.run("check counter --executions 300 --flags -DNDEBUG -- strict").left_with(CLEAN);
    let place = project(&[DEFAULTS, PROGRAM]);
    place.run("check counter --executions 300 -- lenient").left_with(CLEAN);
    place.run("check counter --executions 300 --json out.json --findings elsewhere").left_with(FOUND);
    assert_eq!(place.json("out.json")["runs"].as_array().map(Vec::len), Some(1), "sanitizers of the file");
    assert_eq!((place.cases("elsewhere").len(), place.cases("found").len()), (1, 0));
}

#[test]
fn without_a_name_every_program_is_checked_and_each_is_accounted_for() {
    let broken = "[program.broken]\nsources = [\"broken.c\"]\n";
    let place = Workplace::new();
    place.write("broken.c", "int main(void) { return 0 }\n");
    place.write("threadbare.toml", &[DEFAULTS, broken].concat());
    place.run("check --executions 300").refused(&["broken: ", "does not compile", "expected"]);
    place.write("src/counter.c", COUNTER);
    place.write("include/settings.h", "#define EXPECTED 2\n");
    place.write("threadbare.toml", &[DEFAULTS, broken, PROGRAM].concat());
    place.run("check --executions 300 --json out.json").left_with(FOUND);
    let targets = &place.json("out.json")["targets"];
    assert!(targets[0]["shortfall"].as_str().is_some_and(|why| why.contains("does not compile")), "{targets}");
    assert_eq!((&targets[1]["name"], &targets[1]["check"]["executions"]), (&"counter".into(), &300.into()));
}

#[test]
fn what_is_neither_a_file_nor_a_target_is_told_the_nearest_name() {
    let place = project(&[DEFAULTS, RUNTIME, PROGRAM]);
    place.run("check contuer").refused(&["contuer: no such file", "did you mean `counter`?"]);
    place.run("check mine").refused(&["`mine` is a runtime", "threadbare fuzz --runtime mine"]);
    place.run("fuzz --runtime counter").refused(&["is a program", "threadbare check counter"]);
    Workplace::new().run("check counter").refused(&["counter: no such file", "no threadbare.toml"]);
}

#[test]
fn a_mistake_in_the_file_is_one_error_with_its_line_and_the_nearest_word() {
    let told = |text: &str| {
        let place = project(&[text]);
        place.run_in("src", "check counter", &[]).left_with(COULD_NOT).stderr
    };
    assert_eq!(
        told("[defaults]\nsanitisers = [\"none\"]\n"),
        "error: ../threadbare.toml:2: unknown key `sanitisers` in [defaults]; did you mean `sanitizers`?\n"
    );
    assert_eq!(
        told("[program.counter]\nsources = [\"src/conter.c\"]\n"),
        "error: ../threadbare.toml:2: src/conter.c: no such file; did you mean src/counter.c?\n"
    );
    let strategy = told("[program.counter]\nsources = [\"src/*.c\"]\nstrategy = \"rof\"\n");
    assert!(strategy.starts_with("error: ../threadbare.toml:3: ") && strategy.contains("`rff`"), "{strategy}");
    let weak = told("[program.counter]\nsources = [\"src/*.c\"]\ninject = [\"weak-failure\"]\n");
    assert!(weak.contains("error: ../threadbare.toml:1: with scheduling points at memory accesses"), "{weak}");
}

#[test]
fn targets_are_listed() {
    let ran = project(&[DEFAULTS, RUNTIME, PROGRAM]).run("targets").left_with(CLEAN);
    for line in [
        "  bundled\n  jthread-pool ",
        "  asio ",
        "  mine\n",
        "programs of threadbare.toml\n  counter ",
        "src/counter.c\n",
    ] {
        assert!(ran.stdout.contains(line), "no {line} in {}", ran.stdout);
    }
}

#[test]
fn ci_explores_every_target_and_tells_of_each_in_every_file() {
    let place = project(&[DEFAULTS, RUNTIME, PROGRAM]);
    let files = "--junit out.xml --sarif out.sarif --json out.json";
    let ran = place.run(&format!("ci --executions 600 --seed 1 --size 4 {files}")).left_with(FOUND);
    assert!(ran.stdout.contains("failed-assertion (none, "), "{}", ran.stdout);

    let json = place.json("out.json");
    let [mine, counter] = &json["targets"].as_array().expect("a list")[..] else { panic!("two targets: {json}") };
    assert_eq!((&mine["kind"], &mine["fuzz"]["executions"]), (&"runtime".into(), &300.into()));
    assert_eq!((&counter["kind"], &counter["check"]["executions"]), (&"program".into(), &300.into()));
    assert_eq!(counter["check"]["findings"][0]["verdict"], "failed-assertion");

    let junit = fs::read_to_string(place.path().join("out.xml")).expect("the JUnit file");
    for part in ["testsuite name=\"mine\" tests=\"1\"", "testsuite name=\"counter\" tests=\"1\"", "failed-assertion"] {
        assert!(junit.contains(part), "no {part} in {junit}");
    }
    let run = &place.json("out.sarif")["runs"][0];
    let text = run["results"][0]["message"]["text"].as_str().expect("a text");
    assert!(text.starts_with("counter: failed-assertion"), "{text}");
    assert_eq!(run["properties"]["targets"][0]["name"], "mine");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);

    // Repaired, and what guards against it is replayed.
    place.write("include/settings.h", "#define EXPECTED counter\n");
    place.write("threadbare.toml", &[DEFAULTS, "cases = [\"found\"]\n", PROGRAM].concat());
    let ran = place.run("ci --executions 300 --seed 1").left_with(FOUND);
    assert!(ran.stdout.contains("0 as expected, 1 diverged"), "{}", ran.stdout);
}

#[test]
fn ci_names_what_it_could_not_explore_and_does_not_pass() {
    let place = project(&[DEFAULTS, "[program.broken]\nsources = [\"broken.c\"]\n", PROGRAM]);
    place.run("ci --executions 300").refused(&["threadbare.toml:7: broken.c: no such file"]);
    place.write("broken.c", "#include \"missing.h\"\n");
    place.write("include/settings.h", "#define EXPECTED counter\n");
    let ran = place.run("ci --executions 300 --json out.json").refused(&["broken: ", "missing.h"]);
    assert!(ran.stdout.contains("150 executions"), "{}", ran.stdout);
    assert_eq!(place.json("out.json")["targets"][1]["check"]["executions"], 150);
    // One execution for two targets.
    place.write("broken.c", "int main(void) { return 0; }\n");
    place.run("ci --executions 1").refused(&["counter: ", "first schedule"]);
}
