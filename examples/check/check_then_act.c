// Buyers look at the stock under the lock, let go of it, and take an item under the lock again. What they saw may be
// out of date by then: the last item is sold twice.
//
// verdict: failed-assertion
// sanitizer: none
// points: sync
// threads: 3
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int stock = 1;

static void *buy(void *argument) {
  pthread_mutex_lock(&mutex);
  int available = stock > 0;
  pthread_mutex_unlock(&mutex);
  pthread_mutex_lock(&mutex);
  if (available) stock--;
  assert(stock >= 0);
  pthread_mutex_unlock(&mutex);
  return argument;
}

int main(void) {
  pthread_t buyers[2];
  for (int i = 0; i < 2; i++) pthread_create(&buyers[i], NULL, buy, NULL);
  for (int i = 0; i < 2; i++) pthread_join(buyers[i], NULL);
  return 0;
}
