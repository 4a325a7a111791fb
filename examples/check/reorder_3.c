// The setter writes two variables that belong together, without a lock. The checker may look between the two writes,
// or the setter may write between the two reads.
//
// verdict: failed-assertion
// sanitizer: none
// points: memory
// threads: 3
#include <assert.h>
#include <pthread.h>

static int a;
static int b;

static void *set(void *argument) {
  a = 1;
  b = -1;
  return argument;
}

static void *check(void *argument) {
  int sum = a + b;
  assert(sum == 0);
  return argument;
}

int main(void) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, set, NULL);
  pthread_create(&threads[1], NULL, check, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return 0;
}
