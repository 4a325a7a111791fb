/* `errno` under fibers, which share that of their OS thread: its value moves with the fiber. ThreadSanitizer would take what
 * fibers write there for races, so the functions by which it is told of accesses of that size stand here, before its own. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

/* src/control/virtual_thread.rs; 0 without fibers. */
extern uintptr_t threadbare_errno;

static void without_sanitizer(void *address) { (void)address; }

/* Weak: null unless the sanitizer is linked into the executable. It is gone on to by a jump, which leaves it the caller's
 * return address. */
#define BUT_FOR_ERRNO(name)                                                                                 \
  extern void __interceptor_##name(void *address) __attribute__((weak));                                    \
  static void (*real_##name)(void *address) = without_sanitizer;                                            \
  __attribute__((constructor(101))) static void find_##name(void) {                                         \
    void *next = dlsym(RTLD_NEXT, #name);                                                                   \
    if (__interceptor_##name != NULL) {                                                                     \
      real_##name = __interceptor_##name;                                                                   \
    } else if (next != NULL) {                                                                              \
      *(void **)&real_##name = next;                                                                        \
    }                                                                                                       \
  }                                                                                                         \
  void name(void *address) {                                                                                \
    if ((uintptr_t)address != threadbare_errno) real_##name(address);                                       \
  }
BUT_FOR_ERRNO(__tsan_read4)
BUT_FOR_ERRNO(__tsan_write4)
