//! Locks and the like whose memory is gone: `threadbare check` says so under every sanitizer.

use crate::command::{FOUND, Workplace};

/// A thread uses an object that `main` may free first; which one is the argument.
const FREED: &str = r"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#ifndef LARGE
#define LARGE 0
#endif

union object {
  pthread_mutex_t mutex;
  pthread_rwlock_t rwlock;
  pthread_cond_t condition;
  pthread_spinlock_t spin;
  pthread_barrier_t barrier;
  pthread_once_t once;
  sem_t semaphore;
};

static const char *kind;
static atomic_int begun;

static int is(const char *name) { return strcmp(kind, name) == 0; }

static void nothing(void) {}

static void *use(void *argument) {
  union object *object = argument;
  atomic_store(&begun, 1);
  if (is(`mutex`)) {
    pthread_mutex_lock(&object->mutex);
    pthread_mutex_unlock(&object->mutex);
  }
  if (is(`rwlock`)) {
    pthread_rwlock_rdlock(&object->rwlock);
    pthread_rwlock_unlock(&object->rwlock);
  }
  if (is(`condition`)) pthread_cond_signal(&object->condition);
  if (is(`spin`)) pthread_spin_lock(&object->spin);
  if (is(`barrier`)) pthread_barrier_wait(&object->barrier);
  if (is(`once`)) pthread_once(&object->once, nothing);
  if (is(`semaphore`)) sem_post(&object->semaphore);
  return NULL;
}

int main(int count, char **words) {
  kind = words[count - 1];
  union object *object = calloc(1, LARGE ? 100000 : sizeof *object);
  if (is(`spin`)) pthread_spin_init(&object->spin, 0);
  if (is(`barrier`)) pthread_barrier_init(&object->barrier, NULL, 1);
  if (is(`semaphore`)) sem_init(&object->semaphore, 0, 0);
  pthread_t thread;
  pthread_create(&thread, NULL, use, object);
  while (!atomic_load(&begun)) sched_yield();
  free(object);
  return pthread_join(thread, NULL);
}
";

const KINDS: [&str; 7] = ["mutex", "rwlock", "condition", "spin", "barrier", "once", "semaphore"];

fn found(sanitizer: &str, verdicts: &[&str], places: &[&str]) {
    found_with("", &KINDS, sanitizer, verdicts, places);
}

fn found_with(flags: &str, kinds: &[&str], sanitizer: &str, verdicts: &[&str], places: &[&str]) {
    let place = Workplace::new();
    place.write("freed.c", &FREED.replace('`', "\""));
    for kind in kinds {
        let arguments =
            format!("check --sanitizer {sanitizer} freed.c {flags} --executions 200 --stop-at-first --jobs 1");
        let ran = place.run(&format!("{arguments} --json out.json -- {kind}")).left_with(FOUND);
        let json = place.json("out.json");
        let verdict = json["findings"][0]["verdict"].as_str().expect("a verdict").to_owned();
        assert!(verdicts.contains(&verdict.as_str()), "{kind} under {sanitizer}: {verdict}");
        assert_eq!(json["findings"][0]["confirmed"], true, "{kind} under {sanitizer}");
        for words in places {
            assert!(ran.stdout.contains(words), "{kind} under {sanitizer}: no {words:?} in: {}", ran.stdout);
        }
    }
}

#[test]
fn an_object_in_freed_memory_is_a_memory_error_without_a_sanitizer() {
    found("none", &["memory-error"], &["thread 1 called ", " on memory that was freed"]);
}

#[test]
fn an_object_in_a_large_block_that_was_freed_is_a_memory_error_without_a_sanitizer() {
    let places = ["thread 1 called ", " on memory that was freed"];
    found_with("--flags=-DLARGE=1", &["mutex", "semaphore"], "none", &["memory-error"], &places);
}

#[test]
fn an_object_in_freed_memory_is_a_memory_error_that_address_sanitizer_tells() {
    found("address", &["memory-error"], &["heap-use-after-free in use"]);
}

#[test]
fn an_object_that_is_freed_while_it_may_be_used_is_a_race_and_once_it_is_freed_a_memory_error() {
    found("thread", &["data-race", "memory-error"], &[" in ", "use (freed.c)"]);
}
