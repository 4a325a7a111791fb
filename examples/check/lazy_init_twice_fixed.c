// `call_once` lets one user set things up and the others wait for it.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <assert.h>
#include <stdatomic.h>
#include <threads.h>

static atomic_int ready;
static atomic_int built;
static once_flag once = ONCE_FLAG_INIT;

static void build(void) {
  atomic_fetch_add(&built, 1);
  atomic_store(&ready, 1);
}

static int use(void *argument) {
  (void)argument;
  call_once(&once, build);
  assert(atomic_load(&ready));
  return 0;
}

int main(void) {
  thrd_t users[2];
  for (int i = 0; i < 2; i++) thrd_create(&users[i], use, NULL);
  for (int i = 0; i < 2; i++) thrd_join(users[i], NULL);
  assert(atomic_load(&built) == 1);
  return 0;
}
