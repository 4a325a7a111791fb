// Atomic operations on 16 bytes, where the compiler has instructions for them, are points too.
//
// only: x86_64
// flags: -mcx16
// ending: status 0
// ending: status 1
// ending: status 2
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

__extension__ typedef unsigned __int128 Wide;

static Wide number;

static void *increase(void *argument) {
  for (int i = 0; i < 2; i++) {
    const Wide before = __sync_val_compare_and_swap(&number, (Wide)i << 64, ((Wide)i + 1) << 64);
    assert(before == (Wide)i << 64);
  }
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, increase, NULL);
  const int seen = (int)(__sync_val_compare_and_swap(&number, 7, 7) >> 64);
  pthread_join(thread, NULL);
  return seen;
}
