// Each thread gets the address of a number of its own, which does not change.
//
// verdict: clean
// sanitizer: none
// points: memory
// threads: 3
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_int taken[3];

static void *take(void *number) {
  atomic_fetch_add(&taken[*(int *)number], 1);
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  int numbers[2] = {0, 1};
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, take, &numbers[i]);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  assert(atomic_load(&taken[0]) == 1 && atomic_load(&taken[1]) == 1);
  return 0;
}
