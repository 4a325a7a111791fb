// `abort` runs the handler of its signal, even where it is blocked, and ends the program all the same.
//
// ending: aborted
// ending: status 7
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int leaves;

static void handle(int signal) {
  (void)signal;
  if (atomic_load(&leaves)) _exit(7);
}

static void *let_leave(void *argument) {
  atomic_store(&leaves, 1);
  return argument;
}

int main(void) {
  pthread_t thread;
  sigset_t set;
  sigfillset(&set);
  pthread_sigmask(SIG_BLOCK, &set, 0);
  signal(SIGABRT, handle);
  pthread_create(&thread, 0, let_leave, 0);
  abort();
}
