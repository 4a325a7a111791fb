// Each thread gets the address of the loop variable as its number. The loop may have gone on before the thread reads
// it, so a number is used twice or not at all.
//
// verdict: failed-assertion
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
  int number;
  for (number = 0; number < 2; number++) pthread_create(&threads[number], NULL, take, &number);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  assert(atomic_load(&taken[0]) == 1 && atomic_load(&taken[1]) == 1);
  return 0;
}
