// Two threads add one to a plain counter. Both may read the same value before either writes, and one addition is
// lost.
//
// verdict: failed-assertion
// sanitizer: none
// points: memory
// threads: 3
#include <assert.h>
#include <pthread.h>

static int counter;

static void *add(void *argument) {
  counter++;
  return argument;
}

int main(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, add, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  assert(counter == 2);
  return 0;
}
