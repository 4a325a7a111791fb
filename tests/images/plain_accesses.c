// Plain reads and writes are points where memory accesses are.
//
// races
// ending: status 0
// ending: status 2
// ending with memory points: status 1
#include <pthread.h>
#include <stddef.h>

static int a, b;

static void *write_both(void *argument) {
  a = 1;
  b = 1;
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, write_both, NULL);
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&lock);  // A point of either kind.
  const int seen_b = b;
  const int seen_a = a;
  pthread_join(thread, NULL);
  return seen_b + seen_a;
}
