// What the C library leaves in `errno` is there for the thread that called it and for no other, also where the compiler looks
// up its place once for a whole function.
//
// flags: -O2
// ending: status 0
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int passed;
static int plain;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void others_run(void) {
  passed++;
  pthread_mutex_lock(&lock);
  plain++;
  pthread_mutex_unlock(&lock);
}

static void *fail_in_a_way_of_its_own(void *way) {
  const int expected = way == NULL ? ERANGE : EBADF;
  for (int i = 0; i < 2; i++) {
    errno = 0;
    if (way == NULL) {
      (void)strtol("99999999999999999999", NULL, 10);
    } else {
      (void)fsync(-1);
    }
    assert(errno == expected);
    others_run();
    assert(errno == expected);
  }
  return NULL;
}

int main(void) {
  pthread_t thread;
  int way;
  pthread_create(&thread, NULL, fail_in_a_way_of_its_own, &way);
  fail_in_a_way_of_its_own(NULL);
  pthread_join(thread, NULL);
  errno = 0;
  others_run();
  return errno;
}
