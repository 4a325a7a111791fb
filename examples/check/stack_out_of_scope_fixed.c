// The variable lives in the function that joins the thread, so it outlives it.
//
// verdict: clean
// sanitizer: address
// points: memory
// threads: 2
#include <pthread.h>

struct order {
  int amount;
};

static int served;

static void *serve(void *order) {
  served = ((struct order *)order)->amount;
  return NULL;
}

int main(void) {
  pthread_t waiter;
  struct order order = {7};
  pthread_create(&waiter, NULL, serve, &order);
  pthread_join(waiter, NULL);
  return served == 7 ? 0 : 1;
}
