// Reading the next free seat and writing its successor are one critical section.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <threads.h>

static mtx_t mutex;
static int next_seat;

static int sell(void *argument) {
  (void)argument;
  mtx_lock(&mutex);
  int seat = next_seat;
  next_seat = seat + 1;
  mtx_unlock(&mutex);
  return 0;
}

int main(void) {
  thrd_t sellers[2];
  mtx_init(&mutex, mtx_plain);
  for (int i = 0; i < 2; i++) thrd_create(&sellers[i], sell, NULL);
  for (int i = 0; i < 2; i++) thrd_join(sellers[i], NULL);
  mtx_destroy(&mutex);
  return next_seat == 2 ? 0 : 1;
}
