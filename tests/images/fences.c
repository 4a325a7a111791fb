// Fences order plain accesses, by whichever relaxed operations stand between them: a publication, one that a third
// thread's addition passes on, and a reference count whose last owner frees.
//
// ending: status 0
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct counted {
  atomic_int owners;
  int value;
};

static int payload;
static atomic_int stage;

static void drop(struct counted *counted) {
  if (atomic_fetch_sub_explicit(&counted->owners, 1, memory_order_release) != 1) return;
  atomic_thread_fence(memory_order_acquire);
  counted->value = -1;
  free(counted);
}

static void *publish(void *argument) {
  payload = 7;
  atomic_thread_fence(memory_order_release);
  atomic_store_explicit(&stage, 1, memory_order_relaxed);
  return argument;
}

static void *pass_on(void *argument) {
  atomic_fetch_add_explicit(&stage, 1, memory_order_relaxed);
  return argument;
}

static void *read_and_drop(void *argument) {
  struct counted *counted = argument;
  assert(counted->value == 3);
  drop(counted);
  // That it is 2 can only come of both in this order.
  int seen = 2;
  if (atomic_compare_exchange_strong_explicit(&stage, &seen, 3, memory_order_relaxed, memory_order_relaxed)) {
    atomic_thread_fence(memory_order_seq_cst);
    assert(payload == 7);
  }
  return NULL;
}

int main(void) {
  struct counted *counted = malloc(sizeof *counted);
  atomic_init(&counted->owners, 2);
  counted->value = 3;
  pthread_t threads[3];
  pthread_create(&threads[0], NULL, publish, NULL);
  pthread_create(&threads[1], NULL, pass_on, NULL);
  pthread_create(&threads[2], NULL, read_and_drop, counted);
  assert(counted->value == 3);
  drop(counted);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
}
