// A release fence orders what comes before it, and neither what stands between it and the store nor what comes later.
//
// races
// ending: status 0
#include <pthread.h>
#include <stdatomic.h>

static int payload;
static atomic_int ready, later;

static void *publish(void *argument) {
  atomic_thread_fence(memory_order_release);
  payload = 7;
  atomic_store_explicit(&ready, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
  atomic_store_explicit(&later, 1, memory_order_relaxed);
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, publish, NULL);
  if (atomic_load_explicit(&ready, memory_order_relaxed)) {
    atomic_thread_fence(memory_order_acquire);
    if (payload != 7) return 1;
  }
  pthread_join(thread, NULL);
}
