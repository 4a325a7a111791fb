// A mutex that is unlocked by a thread that does not hold it, whether another one does or nobody.
//
// ending: misuse by thread 1: pthread_mutex_unlock on a mutex that nobody holds
// ending: misuse by thread 1: pthread_mutex_unlock on a mutex that another thread holds
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *unlock(void *argument) {
  pthread_mutex_unlock(&mutex);
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, unlock, NULL);
  pthread_mutex_lock(&mutex);
  pthread_join(thread, NULL);
  pthread_mutex_unlock(&mutex);
  return 0;
}
