// Each philosopher takes the fork that comes first in the array first, so the circle of waiting cannot close.
//
// verdict: clean
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
  pthread_mutex_t *one = left < right ? left : right;
  pthread_mutex_t *other = left < right ? right : left;
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
