// The first reader takes the room for all readers and the last one gives it back, but the readers are counted
// without a lock. A lost count lets readers in beside the writer, or leaves the room taken.
//
// verdict: failed-assertion or deadlock
// sanitizer: none
// points: memory
// threads: 4
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

static sem_t room;
static int readers;
static atomic_int writing;

static void *read_value(void *argument) {
  if (++readers == 1) sem_wait(&room);
  assert(!atomic_load(&writing));
  if (--readers == 0) sem_post(&room);
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
