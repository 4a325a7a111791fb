//! Cases made small.

use crate::command::{CLEAN, COULD_NOT, FOUND, Workplace, has_clang};

#[test]
fn a_case_made_small_is_small_and_fails_as_before() {
    let place = Workplace::new();
    place.run("fuzz --executions 400 --threads 2 --sanitizer none --seed 5 --bug lost-notify").left_with(FOUND);
    let case = place.cases("findings").remove(0);
    place.run(&format!("minimise {} --output small.case", case.display())).left_with(CLEAN);
    let small = std::fs::read_to_string(place.path().join("small.case")).expect("a case");
    let graph: Vec<&str> =
        small.lines().skip_while(|line| *line != "task-graph").take_while(|line| *line != "schedule").collect();
    assert!(graph.len() <= 7, "one task that waits for another is enough:\n{small}");
    place.run("replay small.case --repeat 10").left_with(CLEAN);
}

/// Loses an update among many, if there are enough rounds; other numbers lead to other failures.
const ROUNDS: &str = r#"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static atomic_int count;
static int rounds;
static void *add(void *argument) {
  for (int i = 0; i < rounds; i++) atomic_store(&count, atomic_load(&count) + 1);
  return argument;
}
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (!strncmp(argv[i], "--rounds=", 9)) rounds = atoi(argv[i] + 9);
  if (rounds < 3) return fprintf(stderr, "too few rounds\n"), 1;
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], 0, add, 0);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);
  if (count != 2 * rounds) return fprintf(stderr, "lost %d updates\n", 2 * rounds - count), 1;
  return 0;
}
"#;

#[test]
fn what_the_arguments_of_a_program_repeat_becomes_few_and_it_fails_in_the_same_way() {
    let place = Workplace::new();
    place.write("rounds.c", ROUNDS);
    place.run("check rounds.c --sanitizer none --executions 100 --seed 3 -- --rounds=200 sha256").left_with(FOUND);
    let case = place.cases("findings").remove(0).display().to_string();
    let ran = place.run(&format!("minimise {case} --output small.case")).left_with(CLEAN);
    assert!(ran.stdout.contains("argument --rounds=200 came to --rounds=3\n"), "{}", ran.stdout);
    let small = std::fs::read_to_string(place.path().join("small.case")).expect("a case");
    assert!(small.contains("argument \"--rounds=3\"") && small.contains("argument \"sha256\""), "{small}");
    assert!(small.contains("exit-status: the program ended with status 1: lost "), "{small}");
    place.run("replay small.case --repeat 10").left_with(CLEAN);
    let again = place.run("minimise small.case --output smaller.case").left_with(CLEAN);
    assert!(!again.stdout.contains("argument"), "it is as small as it can be: {}", again.stdout);
}

#[test]
fn what_does_not_fail_is_refused() {
    let place = Workplace::new();
    place.run("fuzz --executions 400 --threads 2 --sanitizer none --seed 5 --bug lost-notify").left_with(FOUND);
    let case = place.cases("findings").remove(0);
    let text = std::fs::read_to_string(&case).expect("a case");
    std::fs::write(place.path().join("clean.case"), text.replace("verdict lost-wakeup", "verdict clean"))
        .expect("written");
    assert!(place.run("minimise clean.case").left_with(COULD_NOT).stderr.contains("nothing to make small"));
    std::fs::write(place.path().join("right.case"), text.replace("bug lost-notify\n", "")).expect("written");
    assert!(place.run("minimise right.case --attempts 5").left_with(COULD_NOT).stderr.contains("--attempts"));
}

#[test]
fn where_many_preemptions_are_left_another_schedule_is_made_small() {
    if !has_clang() {
        return; // The case is of the code of clang, which recorded it.
    }
    let place = Workplace::new();
    let case = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/push-release.case");
    let told = place.run(&format!("minimise {case} --output small.case")).left_with(CLEAN).stdout;
    let left = told.rsplit(" came to ").next().and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    assert!(left.is_some_and(|left| left <= 3), "{told}");
    place.run("replay small.case --repeat 10").left_with(CLEAN);
}
