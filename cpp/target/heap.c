/* Linked into programs under check that no sanitizer watches: which of their memory is free is known to the controller
 * (src/control/hooks/heap.rs). Linked with `--wrap` for these functions (wrapped_heap.txt); those that are wrapped may be
 * the program's own, which then are called as ever. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

void *threadbare_heap_take(uintptr_t real, size_t size);
void threadbare_heap_made(uintptr_t real, const void *block);
int threadbare_heap_free(uintptr_t real, const void *block, const char *name, const void *caller);
void threadbare_heap_forget(uintptr_t real, const void *block);

#define EACH(...) __VA_ARGS__
#define ALLOCATES(name, size, parameters, arguments)                                                        \
  void *__real_##name(EACH parameters);                                                                     \
  void *__wrap_##name(EACH parameters) {                                                                    \
    void *block = threadbare_heap_take((uintptr_t)__real_##name, size);                                     \
    if (block == NULL) {                                                                                    \
      block = __real_##name(EACH arguments);                                                                \
      threadbare_heap_made((uintptr_t)__real_##name, block);                                                \
    }                                                                                                       \
    return block;                                                                                           \
  }
ALLOCATES(malloc, size, (size_t size), (size))
ALLOCATES(_Znwm, size, (size_t size), (size))
ALLOCATES(_Znam, size, (size_t size), (size))
ALLOCATES(_ZnwmRKSt9nothrow_t, size, (size_t size, const void *nothrow), (size, nothrow))
ALLOCATES(_ZnamRKSt9nothrow_t, size, (size_t size, const void *nothrow), (size, nothrow))

/* What is aligned further, or zeroed, is always new. */
#define MAKES(name, parameters, arguments)                                                                  \
  void *__real_##name(EACH parameters);                                                                     \
  void *__wrap_##name(EACH parameters) {                                                                    \
    void *block = __real_##name(EACH arguments);                                                            \
    threadbare_heap_made((uintptr_t)__real_##name, block);                                                  \
    return block;                                                                                           \
  }
MAKES(aligned_alloc, (size_t alignment, size_t size), (alignment, size))
MAKES(_ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment))
MAKES(_ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment))

int __real_posix_memalign(void **block, size_t alignment, size_t size);
int __wrap_posix_memalign(void **block, size_t alignment, size_t size) {
  const int error = __real_posix_memalign(block, alignment, size);
  if (error == 0) threadbare_heap_made((uintptr_t)__real_posix_memalign, *block);
  return error;
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size) {
  size_t bytes;
  void *block = NULL;
  if (!__builtin_mul_overflow(count, size, &bytes)) {
    block = threadbare_heap_take((uintptr_t)__real_calloc, bytes);
  }
  if (block != NULL) return memset(block, 0, bytes);
  block = __real_calloc(count, size);
  threadbare_heap_made((uintptr_t)__real_calloc, block);
  return block;
}

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size) {
  threadbare_heap_forget((uintptr_t)__real_realloc, block);
  void *moved = __real_realloc(block, size);
  threadbare_heap_made((uintptr_t)__real_realloc, moved == NULL && size != 0 ? block : moved);
  return moved;
}

#define FREES(name, told, parameters, arguments)                                                            \
  void __real_##name(EACH parameters);                                                                      \
  void __wrap_##name(EACH parameters) {                                                                     \
    if (block == NULL || !threadbare_heap_free((uintptr_t)__real_##name, block, told, __builtin_return_address(0))) { \
      __real_##name(EACH arguments);                                                                        \
    }                                                                                                       \
  }
FREES(free, "free", (void *block), (block))
FREES(_ZdlPv, "operator delete", (void *block), (block))
FREES(_ZdaPv, "operator delete[]", (void *block), (block))
FREES(_ZdlPvm, "operator delete", (void *block, size_t size), (block, size))
FREES(_ZdaPvm, "operator delete[]", (void *block, size_t size), (block, size))
FREES(_ZdlPvRKSt9nothrow_t, "operator delete", (void *block, const void *nothrow), (block, nothrow))
FREES(_ZdaPvRKSt9nothrow_t, "operator delete[]", (void *block, const void *nothrow), (block, nothrow))
FREES(_ZdlPvSt11align_val_t, "operator delete", (void *block, size_t alignment), (block, alignment))
FREES(_ZdaPvSt11align_val_t, "operator delete[]", (void *block, size_t alignment), (block, alignment))
FREES(_ZdlPvmSt11align_val_t, "operator delete", (void *block, size_t size, size_t alignment), (block, size, alignment))
FREES(_ZdaPvmSt11align_val_t, "operator delete[]", (void *block, size_t size, size_t alignment), (block, size, alignment))
