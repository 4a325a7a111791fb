// The consumer waits for an item while it holds the mutex that the producer needs to add one.
//
// verdict: deadlock
// sanitizer: none
// points: sync
// threads: 3
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t available;
static int items;

static void *produce(void *argument) {
  pthread_mutex_lock(&mutex);
  items++;
  pthread_mutex_unlock(&mutex);
  sem_post(&available);
  return argument;
}

static void *consume(void *argument) {
  pthread_mutex_lock(&mutex);
  sem_wait(&available);
  items--;
  assert(items >= 0);
  pthread_mutex_unlock(&mutex);
  return argument;
}

int main(void) {
  pthread_t threads[2];
  sem_init(&available, 0, 0);
  pthread_create(&threads[0], NULL, produce, NULL);
  pthread_create(&threads[1], NULL, consume, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  sem_destroy(&available);
  return 0;
}
