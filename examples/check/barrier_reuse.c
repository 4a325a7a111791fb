// A barrier opens by setting its count back to zero. A fast thread may arrive again and count to one before the slow
// one has seen the zero: both wait for ever.
//
// verdict: deadlock
// sanitizer: none
// points: sync
// threads: 3
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static int arrived;

static void arrive(void) {
  pthread_mutex_lock(&mutex);
  if (++arrived == 2) {
    arrived = 0;
    pthread_cond_broadcast(&opened);
  } else {
    while (arrived != 0) pthread_cond_wait(&opened, &mutex);
  }
  pthread_mutex_unlock(&mutex);
}

static void *work(void *argument) {
  for (int i = 0; i < 2; i++) arrive();
  return argument;
}

int main(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, work, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return 0;
}
