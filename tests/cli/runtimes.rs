//! Runtimes behind adapters: the one to begin with, what is said of one that lacks something, and those that are shipped.

use std::fs;
use std::path::Path;
use std::process::Command;

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

#[test]
fn a_key_that_a_runtime_makes_when_it_is_loaded_has_a_value_for_each_thread() {
    let place = Workplace::new();
    place.run("runtime new mine").left_with(CLEAN);
    let pool = fs::read_to_string(place.path().join("mine/pool.hpp")).expect("it was written");
    let key = "inline const pthread_key_t key = [] {\n  pthread_key_t made;\n  pthread_key_create(&made, nullptr);\n  return made;\n}();\n";
    let pool = pool
        .replace("class Pool {", &format!("#include <cstdlib>\n#include <pthread.h>\n{key}\nclass Pool {{"))
        .replace("  void work() {", "  void work() {\n    int own = 0;\n    pthread_setspecific(key, &own);")
        .replace("next.resume();", "if (pthread_getspecific(key) != &own) std::abort();\n      next.resume();");
    assert!(pool.contains("std::abort") && pool.contains("pthread_setspecific"), "{pool}");
    place.write("mine/pool.hpp", &pool);
    let fuzzed = "fuzz --runtime mine --sanitizer none --executions 300 --seed 3 --threads 3";
    place.run_in("mine", fuzzed, &[]).left_with(CLEAN);
}

/// The pool of the skeleton, split into a library whose options and definitions its users need.
const PROJECT: &str = r#"
cmake_minimum_required(VERSION 3.21)
project(mine CXX)
enable_testing()
set(CMAKE_CXX_STANDARD 20)
find_package(threadbare REQUIRED)
find_package(Threads REQUIRED)
add_library(greeting INTERFACE)
target_compile_definitions(greeting INTERFACE "GREETING=\"don't wait\"")
add_library(pool pool/pool.cpp)
target_include_directories(pool PUBLIC pool)
target_link_libraries(pool PRIVATE Threads::Threads m PUBLIC greeting)
threadbare_add_runtime(mine SOURCES adapter.cpp LINK pool THREADS 2 3 SANITIZERS none)
"#;

#[test]
fn a_project_of_cmakes_adds_its_runtime_whose_library_is_explored_as_well() {
    let place = Workplace::new();
    place.run("runtime new mine").left_with(CLEAN);
    place.run("install prefix").left_with(CLEAN);
    let read = |name: &str| fs::read_to_string(place.path().join(name)).expect("it was written");
    let pool = read("mine/pool.hpp");
    let (begin, end) =
        (pool.find("  void work() {").expect("a loop"), pool.find("  std::mutex mutex_;").expect("a lock"));
    place.write("mine/pool/pool.hpp", &format!("{}  void work();\n{}", &pool[..begin], &pool[end..]));
    let work = pool[begin..end].replace("void work()", "void Pool::work()");
    place.write("mine/pool/pool.cpp", &format!("#include \"pool.hpp\"\n{work}"));
    let adapter = read("mine/adapter.cpp");
    let greeted = "static_assert(sizeof(GREETING) == sizeof(\"don't wait\"), GREETING);";
    place.write("mine/adapter.cpp", &adapter.replace("struct Adapter {", &format!("{greeted}\nstruct Adapter {{")));
    fs::remove_file(place.path().join("mine/pool.hpp")).expect("removed");
    place.write("mine/CMakeLists.txt", PROJECT);
    let run = |program: &str, arguments: &[&str]| {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        let mut command = Command::new(program);
        let output = command.args(arguments).current_dir(place.path()).env("THREADBARE_CACHE", cache).output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), said)
    };
    let prefix = format!("-DCMAKE_PREFIX_PATH={}", place.path().join("prefix").display());
    let configured = run("cmake", &["-S", "mine", "-B", "build", &prefix]);
    assert!(configured.0, "{}", configured.1);
    let test = || {
        let built = run("cmake", &["--build", "build"]);
        assert!(built.0, "{}", built.1);
        run("ctest", &["--test-dir", "build", "--output-on-failure"])
    };
    let (passed, said) = test();
    assert!(passed && said.contains("mine.conformance") && said.contains("mine.explore"), "{said}");
    // A bug in the library: whoever posts wakes nobody who has looked already.
    let header =
        read("mine/pool/pool.hpp").replace("ready_.notify_one();", "if (queue_.size() > 1) ready_.notify_one();");
    place.write("mine/pool/pool.hpp", &header);
    let (passed, said) = test();
    assert!(!passed && said.contains("lost-wakeup"), "{said}");
}

fn is_there(compiler: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(compiler).exists())
}
