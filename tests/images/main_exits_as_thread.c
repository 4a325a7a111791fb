// `pthread_exit` in main ends that thread only. The program ends with status 0 when the last thread has, on which the
// handlers run.
//
// ending: status 42
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_t main_thread;
static int done;

static void at_exit(void) { _exit(done ? 42 : 1); }

static void *outlive(void *argument) {
  pthread_join(main_thread, NULL);
  done = 1;
  return argument;
}

int main(void) {
  atexit(at_exit);
  main_thread = pthread_self();
  pthread_t thread;
  pthread_create(&thread, NULL, outlive, NULL);
  pthread_detach(thread);
  pthread_exit(NULL);
}
