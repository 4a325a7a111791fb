// A barrier opens by going on to the next round, which no later arrival undoes.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static int arrived;
static int phase;

static void arrive(void) {
  pthread_mutex_lock(&mutex);
  int mine = phase;
  if (++arrived == 2) {
    arrived = 0;
    phase++;
    pthread_cond_broadcast(&opened);
  } else {
    while (phase == mine) pthread_cond_wait(&opened, &mutex);
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
