// A copy of memory that others see is a point, though it goes to the thread's own stack.
//
// races
// ending: status 0
// ending with thread instrumentation: status 1
#include <pthread.h>

struct Large {
  int number;
  char rest[60];
};

static struct Large shared;

static void *set(void *unused) {
  shared.number = 1;
  return unused;
}

static __attribute__((noinline)) int number(struct Large copy) { return copy.number; }

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, set, NULL);
  const struct Large first = shared;
  const struct Large second = shared;
  pthread_join(thread, NULL);
  return number(second) - number(first);
}
