// Copies of a struct are points where memory accesses are.
//
// races
// ending: status 0
// ending: status 2
// ending with memory points: status 1
#include <pthread.h>
#include <stdlib.h>

struct Large {
  int number;
  char rest[60];
};

static const struct Large one = {1, "one"};

static void *copy_both(void *argument) {
  struct Large *targets = argument;
  targets[0] = one;
  targets[1] = one;
  return argument;
}

int main(void) {
  struct Large *targets = calloc(2, sizeof *targets);
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_t thread;
  pthread_create(&thread, NULL, copy_both, targets);
  pthread_mutex_lock(&lock);  // A point of either kind.
  const int second = targets[1].number;
  const int first = targets[0].number;
  pthread_join(thread, NULL);
  return second + first;
}
