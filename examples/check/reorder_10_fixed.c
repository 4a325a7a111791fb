// A lock makes the two writes one step for the checker, and the two reads one step for the setters.
//
// verdict: clean
// sanitizer: none
// points: memory
// threads: 10
#define _POSIX_C_SOURCE 200809L

#include <assert.h>
#include <pthread.h>

enum { SETTERS = 8 };

static pthread_barrier_t start;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int a;
static int b;

static void *set(void *argument) {
  pthread_barrier_wait(&start);
  pthread_mutex_lock(&mutex);
  a = 1;
  b = -1;
  pthread_mutex_unlock(&mutex);
  return argument;
}

static void *check(void *argument) {
  pthread_barrier_wait(&start);
  pthread_mutex_lock(&mutex);
  int sum = a + b;
  pthread_mutex_unlock(&mutex);
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
