// Functions marked as constructors run before main, by priority; those marked as destructors run after the handlers.
//
// ending: status 42
#include <stdlib.h>
#include <unistd.h>

static int steps = 1;

static void step(int number) { steps = steps == number ? number + 1 : -1; }

__attribute__((constructor(301))) static void second(void) { step(2); }
__attribute__((constructor(300))) static void first(void) { step(1); }
__attribute__((constructor)) static void third(void) { step(3); }
static void at_exit(void) { step(5); }
__attribute__((destructor)) static void after_handlers(void) { step(6); }
__attribute__((destructor(300))) static void last(void) { _exit(steps == 7 ? 42 : 1); }

int main(void) {
  atexit(at_exit);
  step(4);
  return 0;
}
