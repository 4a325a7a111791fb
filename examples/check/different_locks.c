// Both threads take a lock before they change the total, but not the same one.
//
// verdict: data-race
// sanitizer: thread
// points: memory
// threads: 3
#include <pthread.h>

static pthread_mutex_t deposits = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t withdrawals = PTHREAD_MUTEX_INITIALIZER;
static int total;

static void *deposit(void *argument) {
  pthread_mutex_lock(&deposits);
  total += 10;
  pthread_mutex_unlock(&deposits);
  return argument;
}

static void *withdraw(void *argument) {
  pthread_mutex_lock(&withdrawals);
  total -= 10;
  pthread_mutex_unlock(&withdrawals);
  return argument;
}

int main(void) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, deposit, NULL);
  pthread_create(&threads[1], NULL, withdraw, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return 0;
}
