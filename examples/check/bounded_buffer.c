// Producer and consumers wait on one condition variable, and each change wakes one thread. A consumer's signal may
// wake the other consumer, which waits again, while the producer sleeps beside a buffer with room.
//
// verdict: deadlock
// sanitizer: none
// points: sync
// threads: 3
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int full;

static void *consume(void *argument) {
  pthread_mutex_lock(&mutex);
  while (!full) pthread_cond_wait(&changed, &mutex);
  full = 0;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&mutex);
  return argument;
}

static void produce(void) {
  pthread_mutex_lock(&mutex);
  while (full) pthread_cond_wait(&changed, &mutex);
  full = 1;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&mutex);
}

int main(void) {
  pthread_t consumers[2];
  for (int i = 0; i < 2; i++) pthread_create(&consumers[i], NULL, consume, NULL);
  for (int i = 0; i < 2; i++) produce();
  for (int i = 0; i < 2; i++) pthread_join(consumers[i], NULL);
  return 0;
}
