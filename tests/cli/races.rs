//! Data races that threadbare's own detector sees, with and without AddressSanitizer, and those that it must not see.

use std::fs;

use crate::command::{CLEAN, FOUND, Ran, Workplace, engines, has_clang, sanitizers};

fn place() -> Workplace {
    let place = Workplace::new();
    place.write("races.cpp", include_str!("races.cpp"));
    place
}

/// The functions of races.cpp whose accesses race, as findings name them.
const RACES: [&str; 9] = [
    "counts (races.cpp)",
    "counts (races.cpp) and looks (races.cpp)",
    "initialised::$_0::operator() and initialised::$_1::operator()",
    "looks (races.cpp) and relaxed_flag::$_0::operator()",
    "freed_unordered::$_0::operator() and freed_unordered::$_1::operator()",
    "on_the_stack::$_0::operator() and on_the_stack::$_1::operator()",
    "copied::$_0::operator() and copied::$_1::operator()",
    "crowded::$_0::operator() and crowded::$_1::operator()",
    "freed::$_0::operator() and freed::$_1::operator()",
];

/// The same by what comes first in each name, which every compiler calls alike: lambdas are named by each in its own way.
fn first_functions<'a>(causes: &[&'a str]) -> Vec<&'a str> {
    let first = |cause: &&'a str| cause.split([':', ' ']).next();
    let mut functions: Vec<&str> = causes.iter().filter_map(first).collect();
    functions.sort_unstable();
    functions
}

/// How races are looked for that the detector sees.
fn ways() -> Vec<&'static str> {
    let mut ways = vec!["none --races on --memory sc", "none --races on --memory cpp20"];
    ways.extend(has_clang().then_some("address --memory sc"));
    ways
}

/// Explores races.cpp.
fn check(place: &Workplace, how: &str, functions: &str, executions: u32) -> Ran {
    place.run(&format!(
        "check races.cpp --sanitizer {how} --executions {executions} --seed 3 --minimise off --findings {} -- {functions}",
        how.replace(' ', "")
    ))
}

/// What the lines of data races say was in which functions.
fn causes(stdout: &str) -> Vec<&str> {
    let lines = stdout.lines().filter(|line| line.starts_with("data-race ("));
    let mut causes: Vec<&str> = lines.filter_map(|line| Some(line.split_once(": data race in ")?.1)).collect();
    causes.sort_unstable();
    causes
}

#[test]
fn races_are_found_without_threadsanitizer_and_under_every_memory_model() {
    let place = place();
    let (freed, others) = RACES.split_last().expect("races");
    for how in ways() {
        let ran = check(&place, how, "racy", 300).left_with(FOUND);
        let found = causes(&ran.stdout);
        assert_eq!(first_functions(&found), first_functions(others), "{how}: {}", ran.stdout);
        if has_clang() {
            let mut expected = others.to_vec();
            expected.sort_unstable();
            assert_eq!(found, expected, "{how}: {}", ran.stdout);
        }
        assert!(ran.stdout.contains(": threadbare: data race in "), "{}", ran.stdout);
        assert!(!ran.stdout.contains("unconfirmed"), "{how}: {}", ran.stdout);
    }
    let ran = check(&place, "none --races on", "freed", 100).left_with(FOUND);
    assert_eq!(first_functions(&causes(&ran.stdout)), first_functions(&[freed]));
    let ran = check(&place, "address", "freed", 100).left_with(FOUND);
    let found = if has_clang() { vec![*freed] } else { Vec::new() };
    assert_eq!(causes(&ran.stdout), found, "an execution in which it is freed last: {}", ran.stdout);
    assert!(ran.stdout.contains("AddressSanitizer: heap-use-after-free in freed"), "{}", ran.stdout);
}

#[test]
fn both_detectors_name_the_same_functions() {
    let place = place();
    for functions in ["counted", "initialised", "copied", "freed-unordered"] {
        let [own, thread] = ["none --races on", "thread"].map(|how| check(&place, how, functions, 100));
        assert!(!causes(&own.stdout).is_empty(), "{functions}: {}", own.stdout);
        assert_eq!(causes(&own.stdout), causes(&thread.stdout), "{functions}");
        assert!(thread.stdout.contains(": ThreadSanitizer: data race in "), "{}", thread.stdout);
    }
}

#[test]
fn what_is_ordered_is_no_race() {
    let place = place();
    for how in ways() {
        check(&place, how, "clean", 300).left_with(CLEAN);
    }
    check(&place, "none --races on --cxx g++", "clean", 30).left_with(CLEAN);
}

#[test]
fn a_race_tells_both_stacks_the_memory_the_locks_and_the_threads_and_replays_under_every_sanitizer() {
    let place = place();
    place.write(
        "box.cpp",
        "#include <mutex>\n#include <thread>\nstruct Box { int value = 0; std::mutex in, out; };\n\
         void put(Box* box) { const std::lock_guard lock(box->in); box->value = 1; }\n\
         int take(Box* box) { const std::lock_guard lock(box->out); return box->value; }\n\
         int main() {\n  auto* box = new Box;\n  std::thread first(put, box);\n  std::thread second(take, box);\n  \
         first.join();\n  second.join();\n  delete box;\n}\n",
    );
    let how = if has_clang() { "address" } else { "none --races on" };
    let ran = place.run(&format!("check box.cpp --sanitizer {how} --executions 100 --stop-at-first --seed 1"));
    ran.left_with(FOUND);
    let case =
        fs::read_dir(place.path().join("findings")).expect("findings").next().expect("a case").expect("a case").path();
    let text = fs::read_to_string(&case).expect("a case");
    let parts = [
        "\nraces on\n",
        "WARNING: threadbare: data race (pid=",
        " of size 4 at 0x",
        "Previous ",
        "#0 put(Box*) ",
        "#0 take(Box*) ",
        "box.cpp:4 ",
        "Location is heap block of size ",
        " allocated by main thread:",
        "(mutexes: write M0)",
        "Mutex M0 (0x",
        "Thread T1 created by main thread at:",
        "Thread T2 created by main thread at:",
        "◀ one access of the race",
        "◀ the other access of the race",
    ];
    let missing: Vec<&str> = parts.into_iter().filter(|part| !text.contains(part)).collect();
    assert!(missing.is_empty(), "{missing:?} in {text}");
    for engine in engines() {
        for sanitizer in sanitizers() {
            place.run(&format!("replay {} --engine {engine} --sanitizer {sanitizer}", case.display())).left_with(CLEAN);
        }
    }
}

#[test]
fn every_pair_of_lines_that_race_in_an_execution_is_a_finding_of_its_own() {
    let place = place();
    place.write(
        "lines.c",
        "#include <pthread.h>\nint a, b, c;\n\
         void one(void) { a = 1; }\nvoid two(void) { b = 1; }\nvoid three(void) { c = 1; }\n\
         void* run(void* argument) { one(); two(); three(); return argument; }\n\
         int main(void) {\n  pthread_t thread;\n  pthread_create(&thread, 0, run, 0);\n  run(0);\n  return pthread_join(thread, 0);\n}\n",
    );
    let ran = place.run("check lines.c --sanitizer none --races on --executions 20 --seed 1 --minimise off");
    let ran = ran.left_with(FOUND);
    for function in ["one", "two", "three"] {
        assert!(ran.stdout.contains(&format!("data race in {function} (lines.c)\n")), "{}", ran.stdout);
    }
}

#[test]
fn races_are_looked_for_with_addresssanitizer_and_where_it_is_asked_for() {
    let place = place();
    place.write(
        "threadbare.toml",
        "[program.asked]\nsources = [\"races.cpp\"]\narguments = [\"counted\"]\nraces = \"on\"\n",
    );
    // Its checks do not tell atomic operations from others.
    let refused = place.run("check races.cpp --cxx g++ --sanitizer address --races on --executions 20 -- locked");
    assert!(refused.stderr.contains("races cannot be looked for with g++ and AddressSanitizer"), "{}", refused.stderr);
    for (how, is_found) in [
        ("races.cpp --cxx g++ --sanitizer none --races on", true),
        ("races.cpp --cxx g++ --sanitizer address", false),
        ("races.cpp --sanitizer none", false),
        ("races.cpp --sanitizer address", has_clang()),
        ("races.cpp --sanitizer address --races off", false),
        ("asked --sanitizer none", true),
        ("asked --sanitizer none --races off", false),
    ] {
        let arguments = if how.starts_with("asked") { "" } else { "-- counted" };
        let ran = place.run(&format!("check {how} --executions 20 --minimise off {arguments}"));
        assert_eq!(ran.code, Some(if is_found { FOUND } else { CLEAN }), "{how}: {}", ran.stdout);
    }
}

#[test]
fn what_was_not_judged_is_told_in_the_summary() {
    let place = place();
    place.write(
        "large.c",
        "#include <pthread.h>\n#include <stdlib.h>\n#include <string.h>\n\
         static void* fill(void* block) { return memset(block, 1, 3 << 20); }\n\
         int main(void) {\n  char* block = malloc(3 << 20);\n  pthread_t thread;\n  \
         pthread_create(&thread, 0, fill, block);\n  pthread_join(thread, 0);\n  free(block);\n}\n",
    );
    for (how, is_told) in [("--races on --strategy random", true), ("--races on", true), ("--races off", false)] {
        let ran = place.run(&format!("check large.c --sanitizer none --executions 20 {how} --json out.json"));
        let unjudged = place.json("out.json")["runs"][0]["left_out"]["unjudged"].as_u64();
        assert_eq!(unjudged.is_some_and(|count| count >= 20), is_told, "{how}: {}", ran.stdout);
        assert_eq!(
            ran.stdout.contains(" accesses or races were not judged, for want of room"),
            is_told,
            "{}",
            ran.stdout
        );
    }
}
