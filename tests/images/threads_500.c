// 500 threads at one time.
//
// executions: 10
// ending: status 0
#include <assert.h>
#include <pthread.h>

enum { THREADS = 500 };

static pthread_barrier_t barrier;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int count;

static void *meet(void *argument) {
  pthread_barrier_wait(&barrier);
  pthread_mutex_lock(&lock);
  count++;
  pthread_mutex_unlock(&lock);
  return argument;
}

int main(void) {
  pthread_t threads[THREADS];
  pthread_barrier_init(&barrier, 0, THREADS);
  for (int i = 0; i < THREADS; i++) assert(pthread_create(&threads[i], 0, meet, &threads[i]) == 0);
  for (int i = 0; i < THREADS; i++) {
    void *result = 0;
    assert(pthread_join(threads[i], &result) == 0 && result == &threads[i]);
  }
  pthread_barrier_destroy(&barrier);
  assert(count == THREADS);
  return 0;
}
