// 98 setters write two variables that belong together, without a lock. The checker sees one without the other only
// if it looks after the first write of one setter and before the second write of all of them.
//
// verdict: failed-assertion
// sanitizer: none
// points: memory
// threads: 100
#define _POSIX_C_SOURCE 200809L

#include <assert.h>
#include <pthread.h>

enum { SETTERS = 98 };

static pthread_barrier_t start;
static int a;
static int b;

static void *set(void *argument) {
  pthread_barrier_wait(&start);
  a = 1;
  b = -1;
  return argument;
}

static void *check(void *argument) {
  pthread_barrier_wait(&start);
  int sum = a + b;
  assert(sum == 0);
  return argument;
}

int main(void) {
  pthread_t threads[SETTERS + 1];
  pthread_barrier_init(&start, NULL, SETTERS + 1);
  for (int i = 0; i < SETTERS; i++) pthread_create(&threads[i], NULL, set, NULL);
  pthread_create(&threads[SETTERS], NULL, check, NULL);
  for (int i = 0; i <= SETTERS; i++) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&start);
  return 0;
}
