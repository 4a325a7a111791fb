//! The execution of a case under gdb: steps, virtual threads, coroutines, expressions, and the same failure at the end.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::command::{CLEAN, FOUND, Workplace};

/// Without it nothing can be tested; ci/install-packages.sh installs it.
fn has_gdb() -> bool {
    let has_gdb = Command::new("gdb").arg("--version").output().is_ok();
    if !has_gdb {
        eprintln!("skipped: there is no gdb here");
    }
    has_gdb
}

/// What gdb says to commands, once the execution of a case has stopped for the first time.
fn debugged(place: &Workplace, arguments: &str, commands: &[&str]) -> String {
    let mut more = vec!["--", "-nx", "-batch"];
    more.extend(commands.iter().flat_map(|command| ["-ex", command]));
    let ran = place.run_in("", &format!("debug {arguments}"), &more).left_with(CLEAN);
    ran.stdout + &ran.stderr
}

/// The text behind a line that begins so, up to another one.
fn between<'a>(said: &'a str, begin: &str, end: &str) -> &'a str {
    let rest = said.split_once(begin).unwrap_or_else(|| panic!("no \"{begin}\" in:\n{said}")).1;
    rest.split_once(end).unwrap_or_else(|| panic!("no \"{end}\" after \"{begin}\" in:\n{said}")).0
}

#[test]
fn a_case_is_debugged_step_by_step_and_fails_as_recorded_whatever_is_looked_at() {
    if !has_gdb() {
        return;
    }
    let place = Workplace::new();
    place.write("tickets.cpp", include_str!("tickets.cpp"));
    place.run("check tickets.cpp --sanitizer none --executions 300 --seed 3 --findings found").left_with(FOUND);
    let case = fs::read_to_string(place.cases("found").remove(0)).expect("a case");
    place.write("found.case", &case);
    what_cannot_be_debugged_is_refused_with_the_reason(&place, &case);

    let commands = ["break draw", "continue", "continue", "delete", "echo == both\\n", "tb where", "tb threads"];
    let end =
        ["echo == switch\\n", "tb next-switch", "tb threads", "echo == end\\n", "tb end", "tb threads", "continue"];
    let looks = ["print drawn", "print look()", "echo == coroutines\\n", "tb coroutines"];
    let check = |said: &str| {
        let start = between(said, "recorded: failed-assertion", "== both");
        assert!(start.contains("step 0: thread 0 "), "it stops at the first step:\n{said}");
        // Breakpoints are gdb's own. The addition is lost, so when one begins the other has not come to its end.
        let both = between(said, "== both\n", "== switch");
        let adds = "\n    #0 draw at tickets.cpp:";
        assert_eq!(both.matches(adds).count(), 2, "{said}");
        assert!(both.contains(&format!(" is stopped here{adds}")), "{said}");
        assert!(both.contains("#0 main at tickets.cpp:"), "{said}");
        let stopped = |part: &str| part.lines().find_map(|line| line.strip_prefix("* thread ")?.chars().next());
        let switched = between(said, "== switch\n", "== end");
        assert!(switched.contains("step ") && stopped(switched).is_some(), "{said}");
        assert_ne!(stopped(both), stopped(switched), "{said}");
        let end = between(said, "== end\n", "the execution showed failed-assertion");
        assert!(end.contains("the execution is over after ") && end.contains("thread 0 is stopped here"), "{said}");
        assert!(said.contains(", as recorded"), "{said}");
    };
    let said = debugged(&place, "found.case", &[&commands[..], &looks[..], &end[..]].concat());
    check(&said);
    assert!(said.contains("$1 = 0\n"), "{said}");
    // Some gdb can call no function on some processors, whatever is debugged.
    assert!(said.contains("$2 = 0\n") || said.contains("Couldn't write extended state status"), "{said}");
    let coroutines = between(&said, "== coroutines\n", "== switch");
    assert!(coroutines.contains("customer (frame 0x") && coroutines.contains(", suspended"), "{said}");
    assert!(coroutines.contains("\n    waits for ticket (frame 0x"), "{said}");

    // The engine whose threads are gdb's own.
    place.write("found.case", &case.replace("\nengine fibers\n", "\nengine threads\n"));
    check(&debugged(&place, "found.case", &[&commands[..], &end[..]].concat()));
}

/// Of a case, at `found.case`.
fn what_cannot_be_debugged_is_refused_with_the_reason(place: &Workplace, case: &str) {
    place.run("debug found.case --at 9999").refused(&["there is no step 9999", "counted from 0"]);
    place.run("debug found.case --debugger nowhere/gdb").refused(&["there is no nowhere/gdb here", "--debugger"]);
    place.run("debug found.case --debugger cat").refused(&["neither gdb nor lldb"]);
    let printed = place.run("debug found.case --launch-json kept").left_with(CLEAN).stdout;
    let printed: Value = serde_json::from_str(&printed).expect("JSON");
    let configuration = &printed["configurations"][0];
    assert_eq!(configuration["args"][0], "worker", "{printed:#}");
    let source = configuration["setupCommands"][1]["text"].as_str().and_then(|text| text.strip_prefix("source "));
    assert!(source.is_some_and(|path| Path::new(path).is_file()), "{printed:#}");
    // The first run of the schedule, one point shorter than it was.
    let (before, run) = case.split_once("schedule\n  0*").expect("a schedule");
    let (points, rest) = run.split_once('#').expect("its digest");
    let shorter = points.parse::<u64>().expect("a number") - 1;
    place.write("other.case", &format!("{before}schedule\n  0*{shorter}#{rest}"));
    place.run("debug other.case").refused(&["diverged at step", "threadbare verify"]);
}

#[test]
fn a_runtime_that_is_stuck_is_debugged_to_where_all_its_threads_wait() {
    if !has_gdb() {
        return;
    }
    let place = Workplace::new();
    let case = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/lost-notify.case");
    let said = debugged(&place, &format!("{case} --symbols lines"), &["tb end", "tb threads", "continue"]);
    assert!(said.contains(" steps, in thread ") && said.contains(": no thread can go on"), "{said}");
    for (thread, function) in [(0, "await_main"), (1, "await_work")] {
        let stack = between(&said, &format!("thread {thread} waits in sem_wait\n"), " at scheduler.hpp");
        assert!(stack.contains("acquire at semaphore.hpp") && stack.contains(function), "{said}");
    }
    assert!(said.contains("the execution showed lost-wakeup: ") && said.contains(", as recorded"), "{said}");
}

#[test]
#[ignore = "needs lldb, which only the nightly run installs"]
fn a_case_is_followed_under_lldb_with_every_sanitizer() {
    for sanitizer in ["none", "address", "thread"] {
        let place = Workplace::new();
        place.write("tickets.cpp", include_str!("tickets.cpp"));
        let found = format!("check tickets.cpp --sanitizer {sanitizer} --executions 300 --seed 3 --findings found");
        place.run(&found).left_with(FOUND);
        let cases = place.cases("found");
        let case = cases.iter().find(|case| case.to_string_lossy().contains("failed-assertion")).expect("it is found");
        let case = case.strip_prefix(place.path()).expect("here").display().to_string();
        let more = ["--", "-x", "-b", "-o", "continue", "-o", "thread backtrace", "-o", "continue"];
        let ran = place.run_in("", &format!("debug {case} --at 8 --debugger lldb"), &more).left_with(CLEAN);
        let said = ran.stdout + &ran.stderr;
        assert_eq!(said.matches("stop reason = breakpoint 1.").count(), 4, "at the step and at the end:\n{said}");
        assert!(said.contains(" at tickets.cpp:"), "the stack has the program's lines:\n{said}");
        // With a sanitizer, a race is reported before the assertion fails.
        let told = match sanitizer {
            "none" => "the execution showed failed-assertion",
            _ => "the execution made a sanitizer report; recorded was failed-assertion",
        };
        assert!(said.contains(told), "{said}");
    }
}
