// Threads have the stack that they have by default.
//
// ending: status 0
#include <pthread.h>
#include <string.h>

static void *work(void *argument) {
  volatile char large[4 << 20];
  for (unsigned long i = 0; i < sizeof large; i += 4096) large[i] = 1;
  return large[4096] == 1 ? argument : &work;
}

int main(void) {
  pthread_t thread;
  void *wrong;
  pthread_create(&thread, 0, work, 0);
  pthread_join(thread, &wrong);
  return wrong || work(0);
}
