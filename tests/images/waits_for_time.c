// Threads that wait for a moment without ever sleeping: for what another does that sleeps, by time-outs that are over, and by
// the clock. They end, since time passes for them too.
//
// executions: 20
// ending: status 0
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static atomic_int done;

static void *sleep_first(void *argument) {
  nanosleep(&(struct timespec){1, 0}, NULL);
  atomic_fetch_add(&done, 1);
  return argument;
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void wait(int milliseconds) {
  for (long long begin = now(); now() - begin < milliseconds;) continue;
}

static void *wait_first(void *argument) {
  wait(10);
  atomic_fetch_add(&done, 1);
  return argument;
}

int main(void) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, sleep_first, NULL);
  pthread_create(&threads[1], NULL, wait_first, NULL);
  struct timespec over = {1, 0};
  pthread_mutex_lock(&mutex);
  while (atomic_load(&done) < 2) pthread_cond_timedwait(&condition, &mutex, &over);
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  wait(1000);
  return 0;
}
