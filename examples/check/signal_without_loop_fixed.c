// A consumer that was woken looks again, and goes on waiting if there is no item.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t added = PTHREAD_COND_INITIALIZER;
static int items;

static void *consume(void *argument) {
  pthread_mutex_lock(&mutex);
  while (items == 0) pthread_cond_wait(&added, &mutex);
  items--;
  assert(items >= 0);
  pthread_mutex_unlock(&mutex);
  return argument;
}

int main(void) {
  pthread_t consumers[2];
  for (int i = 0; i < 2; i++) pthread_create(&consumers[i], NULL, consume, NULL);
  for (int i = 0; i < 2; i++) {
    pthread_mutex_lock(&mutex);
    items++;
    pthread_cond_signal(&added);
    pthread_mutex_unlock(&mutex);
  }
  for (int i = 0; i < 2; i++) pthread_join(consumers[i], NULL);
  return 0;
}
