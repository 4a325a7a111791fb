// A reference count whose last owner frees without an acquire fence: what the other one did is not ordered before.
//
// races
// ending: status 0
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct counted {
  atomic_int owners;
  int value;
};

static void drop(struct counted *counted, int value) {
  if (value != 0) counted->value = value;
  if (atomic_fetch_sub_explicit(&counted->owners, 1, memory_order_release) != 1) return;
  atomic_signal_fence(memory_order_acquire);  // For the compiler alone.
  free(counted);
}

static void *work(void *counted) {
  drop(counted, 1);
  return NULL;
}

int main(void) {
  struct counted *counted = malloc(sizeof *counted);
  atomic_init(&counted->owners, 2);
  counted->value = 0;
  pthread_t thread;
  pthread_create(&thread, NULL, work, counted);
  drop(counted, 0);
  pthread_join(thread, NULL);
}
