//! Loops that wait for a number of rounds, and what a search that left some of them out may say.

use crate::command::{CLEAN, COULD_NOT, FOUND, Ran, Workplace};

/// Checks a C program; JSON goes to out.json.
fn checked(source: &str, arguments: &str) -> (Workplace, Ran) {
    let place = Workplace::new();
    place.write("program.c", source);
    let ran = place.run(&format!("check program.c {arguments} --json out.json"));
    (place, ran)
}

/// A stale value is remembered, a number of rounds fail, and then the thread sleeps on the stale value.
const SPIN_THEN_PARK: &str = r"
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int count;

static int take(void) {
  int seen = atomic_load(&count);
  return seen > 0 && atomic_compare_exchange_strong(&count, &seen, seen - 1);
}

static void *acquire(void *argument) {
  for (;;) {
    int seen = atomic_load(&count);
    for (int round = 0; round < ROUNDS; round++) {
      if (take()) return argument;
    }
    syscall(SYS_futex, &count, FUTEX_WAIT_PRIVATE, seen, NULL);
  }
}

static void release(void) {
  if (atomic_fetch_add(&count, 1) == 0) syscall(SYS_futex, &count, FUTEX_WAKE_PRIVATE, INT_MAX);
}

int main(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, acquire, NULL);
  release();
  release();
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return 0;
}
";

#[test]
fn a_thread_that_spins_before_it_sleeps_is_left_alone_long_enough_to_do_so() {
    for rounds in [16, 100] {
        for seed in 0..3 {
            let flags =
                format!("--executions 5000 --stop-at-first --sanitizer none --seed {seed} --flags=-DROUNDS={rounds}");
            let (place, ran) = checked(SPIN_THEN_PARK, &flags);
            ran.left_with(FOUND);
            assert_eq!(place.json("out.json")["findings"][0]["verdict"], "deadlock", "{rounds} rounds, seed {seed}");
        }
    }
}

#[test]
fn an_exhaustive_search_says_what_it_left_out_and_how_often() {
    let spins = r"
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_int ready;

static void *wait_for_it(void *argument) {
  for (int round = 0; round < ROUNDS && !atomic_load(&ready); round++) {
  }
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, wait_for_it, NULL);
  atomic_store(&ready, 1);
  pthread_join(thread, NULL);
  return 0;
}
";
    let search = |rounds| {
        let flags = format!("--strategy exhaustive --executions 5000 --sanitizer none --flags=-DROUNDS={rounds}");
        let (place, ran) = checked(spins, &flags);
        let stdout = ran.left_with(CLEAN).stdout;
        (stdout, place.json("out.json")["runs"][0].clone())
    };
    for rounds in [2, 100] {
        let (said, run) = search(rounds);
        assert!(said.contains("every schedule was tried"), "{said}");
        assert_eq!((&run["exhausted"], &run["left_out"]["set_aside"]), (&true.into(), &0.into()), "{rounds} rounds");
    }
    let (said, run) = search(1_000);
    assert!(said.contains("not every schedule was tried: a thread was set aside in a loop that waits ("), "{said}");
    assert_eq!((&run["exhausted"], &run["search_ended"]), (&false.into(), &true.into()));
    assert!(run["left_out"]["set_aside"].as_u64() > Some(0), "{run}");
}

/// Two threads write to bytes of their own for ever; after so many they begin anew.
const ENDLESS: &str = r"
#include <pthread.h>
static volatile char table[2][1 << 20];
static void *write_on(void *mine) {
  for (long i = 0;; i++) ((volatile char *)mine)[i % BYTES] = 1;
}
int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, write_on, (void *)table[0]);
  write_on((void *)table[1]);
}
";

#[test]
fn work_of_several_threads_that_is_too_long_is_no_livelock() {
    let options = "--sanitizer none --executions 2 --seed 1 --jobs 1";
    let (_place, ran) = checked(ENDLESS, &format!("{options} --flags=-DBYTES=1048576"));
    assert_eq!(ran.code, Some(COULD_NOT), "{ran:?}");
    assert!(ran.stderr.contains("was still at work"), "{ran:?}");
    let (_place, ran) = checked(ENDLESS, &format!("{options} --flags=-DBYTES=4096"));
    assert_eq!(ran.code, Some(FOUND), "{ran:?}");
    assert!(ran.stdout.contains("livelock (none, execution 1, 2 times)"), "{ran:?}");
}
