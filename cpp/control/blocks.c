/* The block functions that the executable itself calls: libc's own, whatever is loaded before it. A sanitizer watches
 * those of targets; the controller's copies would look to it like accesses that nothing orders, and cost time.
 *
 * The names are hidden, so that targets do not come here. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

/* Until libc's are found, which is before `main`. */
static void *early_memcpy(void *target, const void *source, size_t size) {
  void *start = target;
  __asm__ volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
  return start;
}
static void *early_memmove(void *target, const void *source, size_t size) {
  if ((size_t)target - (size_t)source >= size) return early_memcpy(target, source, size);
  char *last = (char *)target + size - 1;
  const char *from = (const char *)source + size - 1;
  __asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(last), "+S"(from), "+c"(size) : : "memory");
  return target;
}
static void *early_memset(void *target, int value, size_t size) {
  void *start = target;
  __asm__ volatile("rep stosb" : "+D"(target), "+c"(size) : "a"(value) : "memory");
  return start;
}

#define BLOCK_FUNCTION(name)                                                                                \
  __attribute__((used)) static __typeof__(&early_##name) threadbare_##name = early_##name;                  \
  __asm__(".pushsection .text\n\t.globl " #name "\n\t.hidden " #name "\n\t.type " #name                     \
          ", @function\n" #name ":\n\tjmp *threadbare_" #name "(%rip)\n\t.size " #name ", . - " #name       \
          "\n\t.popsection");
BLOCK_FUNCTION(memcpy)
BLOCK_FUNCTION(memmove)
BLOCK_FUNCTION(memset)

#define FIND_BLOCK_FUNCTION(name)                                                                           \
  void *name##_found = dlsym(libc, #name);                                                                  \
  if (name##_found != NULL) *(void **)&threadbare_##name = name##_found

__attribute__((constructor(101))) static void find_block_functions(void) {
  void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  if (libc == NULL) return;
  FIND_BLOCK_FUNCTION(memcpy);
  FIND_BLOCK_FUNCTION(memmove);
  FIND_BLOCK_FUNCTION(memset);
}
