// C's operators on atomic variables are points where the thread instrumentation makes points: a reader may see what is
// between two of them.
//
// ending: status 0
// ending: status 2
// ending with thread instrumentation: status 1
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static void *increase(void *argument) {
  _Atomic int *number = argument;
  (*number)++;
  *number += 1;
  return argument;
}

int main(void) {
  _Atomic int *number = calloc(1, sizeof *number);
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_t thread;
  pthread_create(&thread, NULL, increase, number);
  pthread_mutex_lock(&lock);  // A point of either kind.
  const int seen = *number;
  pthread_join(thread, NULL);
  return seen;
}
