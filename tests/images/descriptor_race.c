// Who receives something is ordered after what came before it was sent, and not after what comes later.
//
// ending: status 0
// races
#include <pthread.h>
#include <unistd.h>

static int ends[2];
static int plain;

static void *send_then_write(void *argument) {
  if (write(ends[1], "x", 1) != 1) return 0;
  plain = 1;
  return argument;
}

int main(void) {
  if (pipe(ends) != 0) return 2;
  pthread_t thread;
  pthread_create(&thread, 0, send_then_write, 0);
  char byte;
  if (read(ends[0], &byte, 1) != 1) return 3;
  const int seen = plain;
  pthread_join(thread, 0);
  return seen > 1;
}
