// A lock makes the two writes one step for the checker, and the two reads one step for the setter.
//
// verdict: clean
// sanitizer: none
// points: memory
// threads: 3
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int a;
static int b;

static void *set(void *argument) {
  pthread_mutex_lock(&mutex);
  a = 1;
  b = -1;
  pthread_mutex_unlock(&mutex);
  return argument;
}

static void *check(void *argument) {
  pthread_mutex_lock(&mutex);
  int sum = a + b;
  pthread_mutex_unlock(&mutex);
  assert(sum == 0);
  return argument;
}

int main(void) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, set, NULL);
  pthread_create(&threads[1], NULL, check, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return 0;
}
