// Each philosopher takes the left fork, then the right one. When all hold their left fork, each waits for its
// neighbour for ever.
//
// verdict: deadlock
// sanitizer: none
// points: sync
// threads: 4
#include <pthread.h>

enum { SEATS = 3 };

static pthread_mutex_t forks[SEATS] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                       PTHREAD_MUTEX_INITIALIZER};

static void *dine(void *seat) {
  pthread_mutex_t *left = seat;
  pthread_mutex_t *right = &forks[(left - forks + 1) % SEATS];
  pthread_mutex_t *one = left;
  pthread_mutex_t *other = right;
  pthread_mutex_lock(one);
  pthread_mutex_lock(other);
  pthread_mutex_unlock(other);
  pthread_mutex_unlock(one);
  return NULL;
}

int main(void) {
  pthread_t philosophers[SEATS];
  for (int i = 0; i < SEATS; i++) pthread_create(&philosophers[i], NULL, dine, &forks[i]);
  for (int i = 0; i < SEATS; i++) pthread_join(philosophers[i], NULL);
  return 0;
}
