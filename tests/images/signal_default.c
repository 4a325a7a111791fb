// What nobody handles ends the program, whoever it was sent to; unless that blocks it.
//
// ending: status 0
// ending: signal SIGTERM
#include <pthread.h>
#include <signal.h>

static void *block(void *argument) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, 0);
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, block, 0);
  pthread_kill(thread, SIGTERM);
  pthread_join(thread, 0);
  return 0;
}
