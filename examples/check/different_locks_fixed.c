// Both threads take the same lock.
//
// verdict: clean
// sanitizer: thread
// points: memory
// threads: 3
#include <pthread.h>

static pthread_mutex_t account = PTHREAD_MUTEX_INITIALIZER;
static int total;

static void *deposit(void *argument) {
  pthread_mutex_lock(&account);
  total += 10;
  pthread_mutex_unlock(&account);
  return argument;
}

static void *withdraw(void *argument) {
  pthread_mutex_lock(&account);
  total -= 10;
  pthread_mutex_unlock(&account);
  return argument;
}

int main(void) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, deposit, NULL);
  pthread_create(&threads[1], NULL, withdraw, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return 0;
}
