// A lock guards the count, also while the first reader waits for the room.
//
// verdict: clean
// sanitizer: none
// points: memory
// threads: 4
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

static sem_t room;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int readers;
static atomic_int writing;

static void *read_value(void *argument) {
  pthread_mutex_lock(&mutex);
  if (++readers == 1) sem_wait(&room);
  pthread_mutex_unlock(&mutex);
  assert(!atomic_load(&writing));
  pthread_mutex_lock(&mutex);
  if (--readers == 0) sem_post(&room);
  pthread_mutex_unlock(&mutex);
  return argument;
}

static void *write_value(void *argument) {
  sem_wait(&room);
  atomic_store(&writing, 1);
  atomic_store(&writing, 0);
  sem_post(&room);
  return argument;
}

int main(void) {
  pthread_t threads[3];
  sem_init(&room, 0, 1);
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, read_value, NULL);
  pthread_create(&threads[2], NULL, write_value, NULL);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  sem_destroy(&room);
  return 0;
}
