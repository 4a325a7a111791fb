// A failed assertion says where it stands, on whichever thread it fails.
//
// ending: assertion failed_assertion.c:11: `fine`
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

static void *look(void *argument) {
  const int *number = argument;
  int fine = *number;
  assert(fine);
  return argument;
}

int main(void) {
  int number = 0;
  pthread_t thread;
  pthread_create(&thread, NULL, look, &number);
  pthread_join(thread, NULL);
  return 0;
}
