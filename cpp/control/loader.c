/* Where the loader is. LeakSanitizer must know, so that it takes the loader's own memory for what it is, and asks the kernel,
 * which says 0 of a program that the loader was told to start. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <sys/auxv.h>

static unsigned long real_getauxval(unsigned long type) {
  static unsigned long (*real)(unsigned long);
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "getauxval");
  return real == NULL ? 0 : real(type);
}

/* Whether the loader was told to start this program, rather than the kernel. */
int threadbare_is_started_by_loader(void) { return real_getauxval(AT_BASE) == 0; }

/* Stands in for glibc's. */
unsigned long getauxval(unsigned long type) {
  const unsigned long value = real_getauxval(type);
  return type == AT_BASE && value == 0 ? (unsigned long)_r_debug.r_ldbase : value;
}
