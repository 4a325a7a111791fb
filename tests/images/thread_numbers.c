// `gettid` tells threads apart, and the first one has the number of the process.
//
// ending: status 0
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

static pid_t number;

static void *work(void *argument) {
  number = gettid();
  return number == syscall(SYS_gettid) ? argument : &number;
}

int main(void) {
  pthread_t thread;
  void *wrong;
  pthread_create(&thread, 0, work, 0);
  pthread_join(thread, &wrong);
  return wrong || gettid() != getpid() || number == gettid();
}
