// Every path gives the semaphore back once.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 4
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

static sem_t lock;
static atomic_int inside;

static void *work(void *failure) {
  sem_wait(&lock);
  int others = atomic_fetch_add(&inside, 1);
  assert(others == 0);
  atomic_fetch_sub(&inside, 1);
  if (failure) {
    sem_post(&lock);
    return NULL;
  }
  sem_post(&lock);
  return NULL;
}

int main(void) {
  pthread_t threads[3];
  sem_init(&lock, 0, 1);
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, work, i == 0 ? &lock : NULL);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  sem_destroy(&lock);
  return 0;
}
