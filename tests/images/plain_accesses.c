// Plain reads and writes are points where memory accesses are.
//
// races
// ending: status 0
// ending: status 2
// ending with memory points: status 1
#include <pthread.h>
#include <stdlib.h>

struct Pair {
  int a, b;
};

static void *write_both(void *argument) {
  struct Pair *pair = argument;
  pair->a = 1;
  pair->b = 1;
  return argument;
}

int main(void) {
  struct Pair *pair = calloc(1, sizeof *pair);
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_t thread;
  pthread_create(&thread, NULL, write_both, pair);
  pthread_mutex_lock(&lock);  // A point of either kind.
  const int b = pair->b;
  const int a = pair->a;
  pthread_join(thread, NULL);
  return b + a;
}
