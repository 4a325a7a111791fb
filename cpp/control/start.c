/* The outermost frames of a program under control. This file is compiled without unwind tables, so that an exception
 * which nobody catches ends there, with std::terminate, as it does at the start of a process or of a thread. */
#include <stddef.h>

typedef void constructor(int argc, char **argv, char **environment);

int threadbare_start(constructor *const *constructors, size_t count, int (*main)(int, char **, char **), int argc,
                     char **argv, char **environment) {
  for (size_t i = 0; i < count; ++i) constructors[i](argc, argv, environment);
  return main(argc, argv, environment);
}

void *threadbare_begin_thread(void *(*start)(void *), void *argument) {
  void *result = start(argument);
  __asm__ volatile("" : : : "memory"); /* No jump: this frame must stay. */
  return result;
}
