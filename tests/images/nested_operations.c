// An atomic operation in the operand of another comes first, and the other's point stands between the two.
//
// ending: status 0
// ending: status 1
// ending: status 2
// ending: status 3
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_int stored;

static void *change(void *argument) {
  atomic_store(&stored, atomic_load(&stored) + 1);
  __atomic_fetch_add((int *)argument, __atomic_load_n((int *)argument, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
  return argument;
}

int main(void) {
  int number = 1;
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, change, &number);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return (atomic_load(&stored) != 2) + 2 * (number != 4);
}
