//! Runtimes behind adapters: the one to begin with, what is said of one that lacks something, and those that are shipped.

use crate::command::{CLEAN, COULD_NOT, Workplace};

/// A runtime that begins no task by itself.
const NO_SPAWN: &str = r#"
#include "harness/lazy_task.hpp"
#include "harness/runtime.hpp"

struct Scheduler {
  explicit Scheduler(unsigned) {}
};

struct Adapter {
  template <class T>
  using Task = threadbare::LazyTask<T>;
  using Scheduler = ::Scheduler;
  template <class T>
  static T run(Scheduler &, Task<T> task) {
    return task.take();
  }
  template <class T>
  static Task<T> result(Task<T> &&task) {
    return std::move(task);
  }
  static void drain(Scheduler &) {}
};

THREADBARE_RUNTIME(Adapter)
"#;

#[test]
fn the_adapter_to_begin_with_passes_at_once_and_its_seeded_bug_is_found() {
    let place = Workplace::new();
    let made = place.run("runtime new mine").left_with(CLEAN);
    assert!(made.stdout.contains("threadbare runtime check mine"), "{}", made.stdout);
    let again = place.run("runtime new mine").left_with(COULD_NOT);
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
    let checked = place.run("runtime check mine").left_with(CLEAN);
    for told in ["core", "works, 400 executions", "seeded bug", "found, as it must be", "when_any"] {
        assert!(checked.stdout.contains(told), "{told}: {}", checked.stdout);
    }
    let fuzzed = place.run_in("mine", "fuzz --runtime mine --sanitizer none --executions 600 --seed 3", &[]);
    let fuzzed = fuzzed.left_with(CLEAN);
    assert!(fuzzed.stdout.contains("task graphs did without: main affinity, start and join"), "{}", fuzzed.stdout);
}

#[test]
fn a_member_of_the_core_that_is_missing_is_one_error_with_its_name_and_the_next_step() {
    for compiler in ["clang++-22", "clang++-19", "g++"].into_iter().filter(|name| is_there(name)) {
        let place = Workplace::new();
        place.write("adapter.cpp", NO_SPAWN);
        place.write("threadbare.toml", "[runtime.mine]\nsources = [\"adapter.cpp\"]\n");
        let command = format!("fuzz --runtime mine --sanitizer none --executions 10 --cxx {compiler}");
        let told = place.run(&command).left_with(COULD_NOT).stderr;
        assert!(told.contains("the adapter has no `spawn`; add `template <class T> static void spawn"), "{told}");
        assert_eq!(told.matches("error: static assertion failed").count(), 1, "{told}");
    }
}

#[test]
fn shipped_adapters_are_explored_clean() {
    for runtime in ["jthread-pool", "asio"] {
        let place = Workplace::new();
        let command = format!("fuzz --runtime {runtime} --sanitizer none --executions 900 --seed 5 --threads 1,2,3");
        let ran = place.run(&command).left_with(CLEAN);
        assert!(
            ran.stdout.contains("nothing found") && !ran.stdout.contains("could not be compared"),
            "{}",
            ran.stdout
        );
    }
}

/// The whole conformance list of each, Boost.Asio's as well, is gone through at night.
#[test]
fn what_a_shipped_adapter_offers_works_and_its_seeded_bug_is_found() {
    let checked = Workplace::new().run("runtime check --runtime jthread-pool").left_with(CLEAN);
    for told in ["core", "when_any", "latch", "found, as it must be", "everything that is offered works"] {
        assert!(checked.stdout.contains(told), "{told}: {}", checked.stdout);
    }
}

fn is_there(compiler: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(compiler).exists())
}
