// The counter is atomic: reading, adding and writing are one step, so no addition is lost.
//
// verdict: clean
// sanitizer: none
// points: memory
// threads: 3
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_int counter;

static void *add(void *argument) {
  atomic_fetch_add(&counter, 1);
  return argument;
}

int main(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, add, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  assert(atomic_load(&counter) == 2);
  return 0;
}
