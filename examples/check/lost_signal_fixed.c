// The flag changes and is looked at under the lock that the wait releases, so no signal falls in between.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <pthread.h>
#include <stdatomic.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static atomic_int ready;

static void *await(void *argument) {
  pthread_mutex_lock(&mutex);
  while (!atomic_load(&ready)) pthread_cond_wait(&changed, &mutex);
  pthread_mutex_unlock(&mutex);
  return argument;
}

static void *announce(void *argument) {
  pthread_mutex_lock(&mutex);
  atomic_store(&ready, 1);
  pthread_mutex_unlock(&mutex);
  pthread_cond_signal(&changed);
  return argument;
}

int main(void) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, await, NULL);
  pthread_create(&threads[1], NULL, announce, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return 0;
}
