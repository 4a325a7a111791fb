// What waits for room and what waits for an item wait on different condition variables, so a signal reaches one that
// can go on.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static pthread_cond_t emptied = PTHREAD_COND_INITIALIZER;
static int full;

static void *consume(void *argument) {
  pthread_mutex_lock(&mutex);
  while (!full) pthread_cond_wait(&filled, &mutex);
  full = 0;
  pthread_cond_signal(&emptied);
  pthread_mutex_unlock(&mutex);
  return argument;
}

static void produce(void) {
  pthread_mutex_lock(&mutex);
  while (full) pthread_cond_wait(&emptied, &mutex);
  full = 1;
  pthread_cond_signal(&filled);
  pthread_mutex_unlock(&mutex);
}

int main(void) {
  pthread_t consumers[2];
  for (int i = 0; i < 2; i++) pthread_create(&consumers[i], NULL, consume, NULL);
  for (int i = 0; i < 2; i++) produce();
  for (int i = 0; i < 2; i++) pthread_join(consumers[i], NULL);
  return 0;
}
