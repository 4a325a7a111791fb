// The last thread waits until the table is set up.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 100
#define _POSIX_C_SOURCE 200809L

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { BUILDERS = 98 };

static pthread_barrier_t start;
static atomic_int ready;

static void *build(void *argument) {
  pthread_barrier_wait(&start);
  atomic_store(&ready, 1);
  return argument;
}

static void *use(void *argument) {
  pthread_barrier_wait(&start);
  while (!atomic_load(&ready)) sched_yield();
  assert(atomic_load(&ready));
  return argument;
}

int main(void) {
  pthread_t threads[BUILDERS + 1];
  pthread_barrier_init(&start, NULL, BUILDERS + 1);
  for (int i = 0; i < BUILDERS; i++) pthread_create(&threads[i], NULL, build, NULL);
  pthread_create(&threads[BUILDERS], NULL, use, NULL);
  for (int i = 0; i <= BUILDERS; i++) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&start);
  return 0;
}
