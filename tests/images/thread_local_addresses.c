// The storage of a thread is its own from the creation to the join, whenever it is first used, so libraries know threads
// by the addresses of their thread-local variables.
//
// ending: status 0
#include <assert.h>
#include <pthread.h>

static _Thread_local int mine;
static int *seen[3];

static void *note(void *place) {
  *(int **)place = &mine;
  assert(++mine == 1);
  return NULL;
}

int main(void) {
  pthread_t threads[3];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, note, &seen[i]);
  pthread_join(threads[0], NULL);
  pthread_create(&threads[2], NULL, note, &seen[2]);
  for (int i = 1; i < 3; i++) pthread_join(threads[i], NULL);
  assert(seen[0] != seen[1] && seen[1] != seen[2]);
}
