// C's operators on atomic variables are points where memory accesses are: a reader may see what is between two of them.
//
// ending: status 0
// ending: status 2
// ending with memory points: status 1
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

static _Atomic int number;

static void *increase(void *argument) {
  number++;
  number += 1;
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, increase, NULL);
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&lock);  // A point of either kind.
  int seen = number;
  pthread_join(thread, NULL);
  return seen;
}
