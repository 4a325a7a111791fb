// More than ten thousand steps and a failure at their end, for ci/nightly.sh: what a page of that many takes.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_int sum;
static int rounds;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *argument) {
  for (int i = 0; i < 850; i++) {
    pthread_mutex_lock(&lock);
    int seen = sum;
    sum = seen + 1;
    pthread_mutex_unlock(&lock);
  }
  rounds++;
  return argument;
}

int main(void) {
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, work, NULL);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  assert(sum == 3 * 850 && rounds == 0);
  return 0;
}
