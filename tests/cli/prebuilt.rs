//! Programs under check with code that their compiler did not see: shared libraries, archives and objects.

use std::process::Command;

use threadbare::target::Toolchain;

use crate::command::{CLEAN, FOUND, Workplace, has_clang};

/// `std::call_once`, in which a switch may come before the routine runs.
const ONCE: &str = r"
#include <mutex>
static std::once_flag flag;
static int value;
int prepared() {
  std::call_once(flag, [] { value = 7; });
  return value;
}
";

/// A thread's own count.
const COUNT: &str = r"
static thread_local int count;
int counted() { return ++count; }
";

/// A lock that waits without a call.
const LOCK: &str = r"
#include <atomic>
static std::atomic<int> held{0};
void take() {
  for (int free = 0; !held.compare_exchange_weak(free, 1); free = 0) {
  }
}
void give() { held.store(0); }
";

/// As anyone would compile it, into `lib.o`, `lib.a` and `lib.so`.
fn built(source: &str) -> Workplace {
    let place = Workplace::new();
    place.write("lib.cpp", source);
    let compiler = Toolchain::find(None).expect("a compiler").compiler;
    let made = |program: &std::path::Path, arguments: &str| {
        let mut command = Command::new(program);
        let status = command.args(arguments.split_whitespace()).current_dir(place.path()).status();
        assert!(status.expect("it starts").success(), "{arguments}");
    };
    made(&compiler, "-O2 -fPIC -c lib.cpp -o lib.o");
    made("ar".as_ref(), "rcs lib.a lib.o");
    made(&compiler, "-shared lib.o -o lib.so");
    place
}

#[test]
fn call_once_in_a_library_works_with_every_engine_beside_and_inside_that_of_the_program() {
    let place = built(ONCE);
    let program = r"
#include <mutex>
#include <thread>
int prepared();
static std::once_flag flag;
static int value, wrong;
int main() {
  auto use = [] {
    std::call_once(flag, [] { value = prepared(); });
    wrong |= value != 7 || prepared() != 7;
  };
  std::thread first(use), second([] { prepared(); });
  first.join();
  second.join();
  return wrong;
}
";
    place.write("program.cpp", program);
    for kind in ["a", "so"] {
        let library = place.path().join(format!("lib.{kind}"));
        let arguments = "check program.cpp --executions 500 --sanitizer none --json out.json";
        let ran = place.run_in("", arguments, &["--flags", &library.display().to_string()]).left_with(CLEAN);
        assert!(!ran.stdout.contains("note:"), "{}", ran.stdout);
        let json = place.json("out.json");
        assert_eq!(json["runs"][0]["engine"], if has_clang() { "fibers" } else { "threads" });
        assert_eq!(json["prebuilt"], serde_json::json!([]));
    }
}

#[test]
fn thread_local_variables_of_a_library_have_real_threads_execute_the_program() {
    let place = built(COUNT);
    let program = r"
#include <thread>
int counted();
static int first, second;
int main() {
  std::thread other([] { first = counted(); });
  second = counted();
  other.join();
  return first != 1 || second != 1;
}
";
    place.write("program.cpp", program);
    let program_of = |kind: &str, arguments: &str| {
        let library = place.path().join(format!("lib.{kind}")).display().to_string();
        let arguments = format!("check program.cpp --executions 200 --sanitizer none --json out.json {arguments}");
        place.run_in("", &arguments, &["--flags", &library])
    };
    for kind in ["o", "a", "so"] {
        let ran = program_of(kind, "").left_with(CLEAN);
        let json = place.json("out.json");
        assert_eq!(json["runs"][0]["engine"], "threads");
        assert_eq!(json["prebuilt"][0]["thread_locals"], serde_json::json!(["count"]), "{kind}");
        if has_clang() {
            assert!(
                ran.stdout.contains(&format!("lib.{kind} (`count`); so the engine `threads` was used")),
                "{}",
                ran.stdout
            );
            program_of(kind, "--engine fibers").refused(&[&format!("lib.{kind} (`count`)"), "`--engine threads`"]);
        }
    }
    program_of("so", "--audit").left_with(CLEAN);
}

#[test]
fn a_finding_in_a_program_with_such_a_library_replays_with_real_threads_alone() {
    let place = built(COUNT);
    place.write("program.cpp", "int counted();\nint main() { return counted() + 1; }\n");
    place.run("check program.cpp --executions 5 --sanitizer none --flags lib.a").left_with(FOUND);
    place.run("replay findings").left_with(CLEAN);
    if has_clang() {
        place.run("replay findings --engine fibers").refused(&["lib.a (`count`)", "`--engine threads`"]);
    }
}

#[test]
fn atomic_operations_of_a_library_are_told_and_a_race_that_they_may_forbid_is_doubted() {
    let place = built(LOCK);
    let program = r"
#include <thread>
void take();
void give();
static int value;
int main() {
  auto add = [] {
    take();
    value = value + 1;
    give();
  };
  std::thread first(add), second(add);
  first.join();
  second.join();
}
";
    place.write("program.cpp", program);
    let arguments = "check program.cpp --executions 50 --stop-at-first --sanitizer thread --flags lib.a";
    let ran = place.run(arguments).left_with(FOUND);
    let told = "note: prebuilt code with threads or atomic operations of its own: lib.a;";
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
    let doubt = "so if one in lib.a orders the two accesses, this is no race";
    assert!(ran.stdout.contains("data-race") && ran.stdout.contains(doubt), "{}", ran.stdout);
}

#[test]
fn what_the_linker_leaves_out_of_an_archive_is_not_told() {
    let place = built(LOCK);
    place.write("program.cpp", "int main() { return 0; }\n");
    let ran = place.run("check program.cpp --executions 5 --sanitizer none --flags lib.a").left_with(CLEAN);
    assert!(!ran.stdout.contains("prebuilt"), "{}", ran.stdout);
}

#[test]
fn a_library_that_the_loader_does_not_find_is_named_with_what_to_do() {
    let place = built(COUNT);
    place.write("program.cpp", "int counted();\nint main() { return counted() - 1; }\n");
    let ran = place.run("check program.cpp --executions 5 --sanitizer none --flags lib.so");
    ran.refused(&["lib.so", "LD_LIBRARY_PATH", "-Wl,-rpath,"]);
}

#[test]
fn a_thread_local_variable_that_clang_does_not_find_in_a_library_is_named_with_what_to_do() {
    if !has_clang() {
        return;
    }
    let place = built("thread_local int shared;\n");
    place.write("program.cpp", "extern thread_local int shared;\nint main() { return shared; }\n");
    let ran = place.run("check program.cpp --executions 5 --sanitizer none --flags lib.a");
    ran.refused(&["`--cxx g++`", "shared"]);
    place.run("check program.cpp --executions 5 --sanitizer none --flags lib.a --cxx g++").left_with(CLEAN);
}
