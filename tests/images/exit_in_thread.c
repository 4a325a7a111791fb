// `exit` on another thread ends the program with its status, once the handlers ran; main is left where it waits.
//
// ending: status 42
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_t leaver;

static void at_exit(void) { _exit(pthread_equal(pthread_self(), leaver) ? 42 : 1); }

static void *leave(void *argument) {
  leaver = pthread_self();
  exit(7);
  return argument;
}

int main(void) {
  atexit(at_exit);
  pthread_t thread;
  pthread_create(&thread, NULL, leave, NULL);
  pthread_join(thread, NULL);
  return 2;
}
