// A thread gets the address of a variable in a block that ends without waiting for it. It may read the variable when
// the block is over and its place on the stack belongs to something else.
//
// verdict: memory-error
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
  {
    struct order order = {7};
    pthread_create(&waiter, NULL, serve, &order);
  }
  pthread_join(waiter, NULL);
  return served == 7 ? 0 : 1;
}
