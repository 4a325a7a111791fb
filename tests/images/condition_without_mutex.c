// A wait for a condition whose mutex the thread does not hold, here and in C11's words.
//
// ending: misuse by thread 1: pthread_cond_timedwait on a mutex that nobody holds
// ending: misuse by thread 2: cnd_wait on a mutex that nobody holds
#include <pthread.h>
#include <threads.h>

static mtx_t mutex;
static cnd_t condition;

static void *wait_until(void *argument) {
  const struct timespec past = {0, 0};
  pthread_cond_timedwait((pthread_cond_t *)&condition, (pthread_mutex_t *)&mutex, &past);
  return argument;
}

static void *wait_for_good(void *argument) {
  cnd_wait(&condition, &mutex);
  return argument;
}

int main(void) {
  mtx_init(&mutex, mtx_plain);
  cnd_init(&condition);
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, wait_until, NULL);
  pthread_create(&threads[1], NULL, wait_for_good, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return 0;
}
