// Copies of a struct are points where memory accesses are.
//
// races
// ending: status 0
// ending: status 2
// ending with memory points: status 1
#include <pthread.h>
#include <stddef.h>

struct Large {
  int number;
  char rest[60];
};

static const struct Large one = {1, "one"};
static struct Large a, b;

static void *copy_both(void *argument) {
  a = one;
  b = one;
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, copy_both, NULL);
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&lock);  // A point of either kind.
  const int seen_b = b.number;
  const int seen_a = a.number;
  pthread_join(thread, NULL);
  return seen_b + seen_a;
}
