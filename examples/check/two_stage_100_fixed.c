// The first lock is held over both stages, by the writers and by the reader, so the values change as one.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 100
#define _POSIX_C_SOURCE 200809L

#include <assert.h>
#include <pthread.h>

enum { WRITERS = 98 };

static pthread_barrier_t start;
static pthread_mutex_t first_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t second_lock = PTHREAD_MUTEX_INITIALIZER;
static int first;
static int second;

static void *write_both(void *argument) {
  pthread_barrier_wait(&start);
  pthread_mutex_lock(&first_lock);
  first = 1;
  pthread_mutex_lock(&second_lock);
  second = 1;
  pthread_mutex_unlock(&second_lock);
  pthread_mutex_unlock(&first_lock);
  return argument;
}

static void *read_both(void *argument) {
  pthread_barrier_wait(&start);
  pthread_mutex_lock(&first_lock);
  int seen = first;
  pthread_mutex_lock(&second_lock);
  assert(seen == 0 || second == 1);
  pthread_mutex_unlock(&second_lock);
  pthread_mutex_unlock(&first_lock);
  return argument;
}

int main(void) {
  pthread_t threads[WRITERS + 1];
  pthread_barrier_init(&start, NULL, WRITERS + 1);
  for (int i = 0; i < WRITERS; i++) pthread_create(&threads[i], NULL, write_both, NULL);
  pthread_create(&threads[WRITERS], NULL, read_both, NULL);
  for (int i = 0; i <= WRITERS; i++) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&start);
  return 0;
}
