// The stack that a thread is told of is the one that it runs on.
//
// ending: status 0
#define _GNU_SOURCE
#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

static void *look(void *unused) {
  (void)unused;
  pthread_attr_t attributes;
  assert(pthread_getattr_np(pthread_self(), &attributes) == 0);
  void *first = NULL;
  size_t size = 0;
  assert(pthread_attr_getstack(&attributes, &first, &size) == 0);
  assert(pthread_attr_destroy(&attributes) == 0);
  const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  assert(here > (uintptr_t)first && here < (uintptr_t)first + size);
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, look, NULL);
  look(NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return 0;
}
