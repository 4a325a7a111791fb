//! `threadbare check` on small programs, from the compiler's message to the replay of what was found.

use std::fs;

use crate::command::{CLEAN, FOUND, Ran, Workplace};
use serde_json::{Value, json};

/// Two threads that may lose an update, by atomic operations; the status tells. Takes `main`'s arguments as it likes.
const LOST_UPDATE: &str = r"
#include <pthread.h>
#include <stdatomic.h>

static atomic_int counter;

static void *add(void *argument) {
  atomic_store(&counter, atomic_load(&counter) + 1);
  return argument;
}

int main(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], 0, add, 0);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);
  return atomic_load(&counter) == 2 ? 0 : 9;
}
";

/// Checks under the sanitizer that the tests were built with, which needs no other worker.
fn check(place: &Workplace, arguments: &str) -> Ran {
    place.run(&format!("check --sanitizer none {arguments}"))
}

fn checked(source: &str, arguments: &str) -> (Workplace, Ran) {
    let place = Workplace::new();
    let name = if source.contains("#include <atomic>") { "program.cpp" } else { "program.c" };
    place.write(name, source);
    let ran = check(&place, &format!("{name} {arguments}"));
    (place, ran)
}

pub fn verdicts(json: &Value) -> Vec<&str> {
    let findings = json["findings"].as_array().expect("findings");
    findings.iter().filter_map(|finding| finding["verdict"].as_str()).collect()
}

#[test]
fn a_source_that_does_not_compile_gets_the_compilers_own_message() {
    let (_place, ran) = checked("int main(void) {\n  return unknown_name;\n}\n", "");
    let ran = ran.refused(&["does not compile", "unknown_name"]);
    assert!(ran.stderr.contains("program.c:2:10: error: "), "{}", ran.stderr);
}

#[test]
fn a_primitive_that_is_not_emulated_is_named() {
    let (_place, ran) = checked("#include <unistd.h>\nint main(void) { return fork() == 0; }\n", "--executions 10");
    ran.refused(&["not emulated: fork"]);
}

#[test]
fn a_mutex_that_is_unlocked_by_who_does_not_hold_it_is_a_finding_that_replays() {
    let source = r"
#include <pthread.h>
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
int main(void) {
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
  return pthread_mutex_unlock(&mutex);
}
";
    let (place, ran) = checked(source, "--executions 10 --json out.json");
    let ran = ran.left_with(FOUND);
    let told = "thread 0 called pthread_mutex_unlock on a mutex that nobody holds";
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
    let json = place.json("out.json");
    assert_eq!(verdicts(&json), ["misuse"]);
    assert_eq!(json["findings"][0]["confirmed"], true);
    place.run("replay findings").left_with(CLEAN);
}

#[test]
fn a_source_that_is_not_there_is_named() {
    let place = Workplace::new();
    check(&place, "nowhere.c").refused(&["nowhere.c"]);
    place.write("notes.txt", "");
    check(&place, "notes.txt").refused(&["notes.txt", "neither C nor C++"]);
}

#[test]
fn a_program_without_main_is_refused() {
    let (_place, ran) = checked("int not_main(void) { return 0; }\n", "--executions 10");
    ran.refused(&["`main`"]);
}

#[test]
fn a_function_that_nobody_defines_is_named() {
    let (_place, ran) = checked("int defined_nowhere(void);\nint main(void) { return defined_nowhere(); }\n", "");
    ran.refused(&["defined_nowhere"]);
}

#[test]
fn several_sources_headers_and_flags_make_one_program() {
    let place = Workplace::new();
    place.write("include/answer.h", "#ifdef __cplusplus\nextern \"C\"\n#endif\nint answer(void);\n");
    place.write("answer.c", "#include \"answer.h\"\nint answer(void) { return ANSWER; }\n");
    place.write("main.cpp", "#include <answer.h>\nint main() { return answer() == 42 ? 0 : 1; }\n");
    let run = |flags: &str| {
        let arguments = "check --sanitizer none --executions 10 main.cpp answer.c";
        place.run_in("", arguments, &["--flags", flags])
    };
    run("-Iinclude -DANSWER=42").left_with(CLEAN);
    assert!(run("-Iinclude -DANSWER=41").left_with(FOUND).stdout.contains("ended with status 1"));
    run("-DANSWER=42").refused(&["answer.h"]);
}

#[test]
fn flags_for_the_linker_reach_it_and_no_compiler_warns_about_them() {
    let place = Workplace::new();
    // Volatile, or the compiler computes it.
    let source = "#include <math.h>\nvolatile double x = 1;\nint main(void) { return cos(x) > 0.6; }\n";
    place.write("program.c", source);
    let arguments = "check --sanitizer none --executions 10 program.c";
    let ran = place.run_in("", arguments, &["--flags", "-lm -L. -Wl,-z,now -Wall"]).left_with(CLEAN);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
}

#[test]
fn findings_of_two_programs_of_one_name_lie_side_by_side_and_those_of_one_are_replaced() {
    let place = Workplace::new();
    place.write("a/main.c", "int main(void) { return 3; }\n");
    place.write("b/main.c", "int main(void) { return 3; }\n");
    let arguments = "check --sanitizer none --executions 5 main.c --findings ../found";
    for (folder, cases) in [("a", 1), ("b", 2), ("a", 2)] {
        place.run_in(folder, arguments, &[]).left_with(FOUND);
        assert_eq!(place.cases("found").len(), cases);
    }
    check(&place, "a/main.c --executions 5 --findings found").left_with(FOUND);
    assert_eq!(place.cases("found").len(), 2, "however the source is named");
}

#[test]
fn arguments_after_two_dashes_are_those_of_main() {
    let source = r#"
#include <string.h>
int main(int count, char **words) {
  return count == 3 && strcmp(words[1], "--seed") == 0 && strcmp(words[2], "a b") == 0 ? 0 : count;
}
"#;
    let place = Workplace::new();
    place.write("program.c", source);
    let arguments = "check --sanitizer none --executions 10 program.c --";
    place.run_in("", arguments, &["--seed", "a b"]).left_with(CLEAN);
    place.run_in("", arguments, &["--seed"]).left_with(FOUND);
    // The case has the arguments too.
    place.run("replay findings").left_with(CLEAN);
}

#[test]
fn a_loop_without_a_point_is_a_hang_of_its_own_kind() {
    let source = r"
#include <pthread.h>
static void *spin(void *argument) {
  for (volatile int i = 0; i >= 0; i = i ? 0 : 1) {
  }
  return argument;
}
int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, spin, 0);
  return pthread_join(thread, 0);
}
";
    let (place, ran) = checked(source, "--executions 20 --stop-at-first --json out.json");
    ran.left_with(FOUND);
    let json = place.json("out.json");
    assert_eq!(verdicts(&json), ["hang"]);
    assert_eq!(json["findings"][0]["confirmed"], true);
}

#[test]
fn json_tells_what_was_found_and_how_to_replay_it() {
    let (place, ran) = checked(LOST_UPDATE, "--executions 200 --seed 3 --points sync --json out.json");
    let ran = ran.left_with(FOUND);
    let json = place.json("out.json");
    assert_eq!(json["executions"], 200);
    assert!(json["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    assert!(json["per_second"].as_f64().is_some_and(|rate| rate > 0.0));
    assert_eq!(verdicts(&json), ["exit-status"]);
    let finding = &json["findings"][0];
    assert!(finding["execution"].as_u64().is_some_and(|execution| (1..=200).contains(&execution)));
    assert!(finding["fingerprint"].as_str().is_some_and(|print| !print.is_empty()));
    assert_eq!(finding["confirmed"], true);
    let case = finding["case"].as_str().expect("a path");
    assert!(place.path().join(case).is_file());
    // What happened is told with the lines and names of the source.
    for words in ["ended with status 9", "program.c:8", "counter", &format!("threadbare replay {case}")] {
        assert!(ran.stdout.contains(words), "no {words:?} in: {}", ran.stdout);
    }
    place.run(&format!("replay {case} --repeat 5")).left_with(CLEAN);
}

#[test]
fn the_same_seed_makes_the_same_check_and_another_seed_another() {
    let (place, ran) = checked(LOST_UPDATE, "--executions 100 --seed 7 --json 1.json --strategy random");
    ran.left_with(FOUND);
    check(&place, "program.c --executions 100 --seed 7 --json 2.json --strategy random").left_with(FOUND);
    check(&place, "program.c --executions 100 --seed 8 --json 3.json --strategy random").left_with(FOUND);
    let comparable = |name: &str| {
        let json = place.json(name);
        let finding = &json["findings"][0];
        let run = &json["runs"][0];
        json!([json["executions"], run["points"], finding["execution"], finding["count"], finding["fingerprint"]])
    };
    assert_eq!(comparable("1.json"), comparable("2.json"));
    assert_ne!(comparable("1.json"), comparable("3.json"));
}

/// Ends with one of four statuses, by the order of its threads.
const FOUR_STATUSES: &str = r"
#include <atomic>
#include <thread>
std::atomic<int> first{0}, second{0};
int main() {
  std::thread thread([] { first = 1; second = 1; });
  const int seen = second + 2 * first;
  thread.join();
  return seen + 1;
}
";

#[test]
fn a_check_goes_on_after_a_finding_unless_it_is_to_stop() {
    let (place, ran) = checked(FOUR_STATUSES, "--executions 300 --json all.json");
    ran.left_with(FOUND);
    let all = place.json("all.json");
    assert_eq!(all["executions"], 300);
    assert!(verdicts(&all).len() >= 3, "{all}");
    check(&place, "program.cpp --executions 300 --stop-at-first --json first.json").left_with(FOUND);
    let first = place.json("first.json");
    assert_eq!(verdicts(&first).len(), 1);
    assert!(first["executions"].as_u64().is_some_and(|executions| executions < 300));
}

#[test]
fn findings_before_a_crash_are_kept() {
    let source = r"
#include <atomic>
#include <thread>
std::atomic<int> number{0};
int main() {
  std::thread thread([] { number = 1; number = 2; });
  const int seen = number;
  thread.join();
  if (seen == 1) *static_cast<volatile int *>(nullptr) = 0;
  return seen == 0 ? 3 : 0;
}
";
    let (place, ran) = checked(source, "--executions 60 --json out.json");
    ran.left_with(FOUND);
    let json = place.json("out.json");
    assert_eq!(json["executions"], 60);
    let mut verdicts = verdicts(&json);
    verdicts.sort_unstable();
    // Sanitizers say more of a crash.
    assert!(verdicts.contains(&"exit-status") && verdicts.len() == 2, "{verdicts:?}");
    let counted: u64 = json["findings"].as_array().expect("findings").iter().filter_map(|f| f["count"].as_u64()).sum();
    assert_eq!(json["runs"][0]["findings"], counted);
    place.run("replay findings").left_with(CLEAN);
}

#[test]
fn an_audit_passes_where_nothing_differs() {
    let (_place, ran) = checked(LOST_UPDATE, "--executions 100 --audit");
    assert!(ran.left_with(FOUND).stdout.contains("audit: both executions of each schedule passed the same steps"));
}

#[test]
fn an_audit_names_the_step_at_which_real_time_makes_a_difference() {
    let source = r"
#include <pthread.h>
#include <stdatomic.h>
static atomic_int number;
static void *choose(void *argument) {
  if (__builtin_ia32_rdtsc() / 64 % 2) {
    atomic_store(&number, 1);
  } else {
    atomic_fetch_add(&number, 1);
  }
  return argument;
}
int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, choose, 0);
  return pthread_join(thread, 0);
}
";
    if cfg!(target_arch = "x86_64") {
        let (_place, ran) = checked(source, "--executions 100 --audit");
        ran.refused(&["at step ", "two executions of one schedule differ", "real time"]);
    }
}

#[test]
fn an_audit_names_an_order_that_depends_on_addresses() {
    let source = r"
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
static atomic_int number;
int main(void) {
  void *block = malloc(100);  // Never freed, so the next execution gets another one.
  atomic_store((atomic_int *)block, 0);
  if ((uintptr_t)block >> 4 & 8) {
    atomic_store(&number, 1);
  } else {
    atomic_fetch_add(&number, 1);
  }
  return 0;
}
";
    let (_place, ran) = checked(source, "--executions 100 --audit");
    ran.refused(&["at step ", "addresses"]);
}

#[test]
fn paths_may_hold_spaces_and_any_letters() {
    let place = Workplace::new();
    place.write("mein Ordner/größer — 更.c", LOST_UPDATE);
    let arguments = "check --sanitizer none --executions 100 --stop-at-first";
    let more = ["größer — 更.c", "--findings", "das Gefundene", "--json", "das Ergebnis.json"];
    let ran = place.run_in("mein Ordner", arguments, &more).left_with(FOUND);
    assert!(ran.stdout.contains("größer — 更.c:8"), "{}", ran.stdout);
    place.run_in("mein Ordner", "replay", &["das Gefundene"]).left_with(CLEAN);
}

#[test]
fn a_case_replays_from_another_directory_if_its_source_is_beside_it() {
    let (place, ran) = checked(LOST_UPDATE, "--executions 100 --stop-at-first --points sync");
    ran.left_with(FOUND);
    let case = place.cases("findings").remove(0);
    fs::create_dir(place.path().join("elsewhere")).expect("a folder");
    let case = case.display().to_string();
    place.run_in("elsewhere", "replay", &[&case]).refused(&["program.c", "current directory"]);
    fs::copy(place.path().join("program.c"), place.path().join("findings/program.c")).expect("copied");
    place.run_in("elsewhere", "replay", &[&case]).refused(&["program.c reaches outside", "--trust"]);
    place.run_in("elsewhere", "replay --trust", &[&case]).left_with(CLEAN);
}

#[test]
fn a_replay_says_that_the_source_changed() {
    let (place, ran) = checked(LOST_UPDATE, "--executions 100 --stop-at-first --points sync");
    ran.left_with(FOUND);
    place
        .write("program.c", &LOST_UPDATE.replace("return atomic_load", "atomic_load(&counter);\n  return atomic_load"));
    let ran = place.run("replay findings --json out.json").left_with(FOUND);
    assert!(ran.stdout.contains("the sources changed since it was recorded"), "{}", ran.stdout);
    assert_eq!(place.json("out.json")["results"][0]["sources_changed"], true);
    // A comment changes nothing that the schedule could notice.
    place.write("program.c", &format!("{LOST_UPDATE}// The end.\n"));
    let ran = place.run("replay findings").left_with(CLEAN);
    assert!(ran.stdout.contains("the sources changed"), "{}", ran.stdout);
}

#[test]
fn a_check_that_finds_nothing_says_what_it_did() {
    let (_place, ran) = checked("int main(void) { return 0; }\n", "--executions 50");
    assert!(ran.left_with(CLEAN).stdout.contains("50 executions in"));
    let (_place, ran) = checked("int main(void) { return 0; }\n", "--strategy exhaustive --seconds 5");
    assert!(ran.left_with(CLEAN).stdout.contains("every schedule was tried"));
}

#[test]
fn a_rare_path_that_is_long_is_no_livelock() {
    let source = r"
#include <pthread.h>
#include <stdatomic.h>

static atomic_int flag;
static int numbers[60000];

static void *raise_flag(void *argument) {
  atomic_store(&flag, 1);
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, raise_flag, 0);
  if (atomic_load(&flag)) {
    for (int i = 0; i < 60000; i++) numbers[i] = i;
  }
  pthread_join(thread, 0);
  return 0;
}
";
    for seed in 1..4 {
        let (_place, ran) = checked(source, &format!("--strategy random --executions 40 --seed {seed} --jobs 1"));
        ran.left_with(CLEAN);
    }
}

#[test]
fn what_was_found_before_a_call_that_is_not_emulated_is_kept() {
    let source = r"
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_int steps;

static void *work(void *argument) {
  for (int i = 0; i < 4; i++) atomic_fetch_add(&steps, 1);
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, work, 0);
  atomic_load(&steps);
  if (atomic_load(&steps) == 4) fork();
  pthread_join(thread, 0);
  return 5;
}
";
    let (place, ran) = checked(source, "--strategy random --executions 500 --seed 1 --jobs 1 --points sync");
    ran.refused(&["not emulated: fork"]);
    assert_eq!(place.cases("findings").len(), 1, "the status");
}
