// A mutex that is destroyed although a thread may yet lock it. While it is held it cannot be destroyed, which is an error.
//
// races
// ending: status 0
// ending: status 5
// ending: misuse by thread 1: pthread_mutex_lock on a mutex that was destroyed or never initialised
#include <errno.h>
#include <pthread.h>
#include <sched.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *use(void *argument) {
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, use, NULL);
  sched_yield();
  const int error = pthread_mutex_destroy(&mutex);
  pthread_join(thread, NULL);
  return error == EBUSY ? 5 : error;
}
