/* Linked into targets whose heap is left to the C library or to AddressSanitizer: what they free is told to the detector of races
 * (src/control/hooks/heap.rs). Linked with `--wrap` for these functions (wrapped_frees.txt). Each goes on by a jump, so that
 * whoever frees sees the target as its caller. */
#include <stddef.h>

void threadbare_frees(const void *block, const void *caller);

#define EACH(...) __VA_ARGS__
#define FREES(name, parameters, arguments)                                                                  \
  void __real_##name(EACH parameters);                                                                      \
  void __wrap_##name(EACH parameters) {                                                                     \
    if (block != NULL) threadbare_frees(block, __builtin_return_address(0));                                \
    __real_##name(EACH arguments);                                                                          \
  }
FREES(free, (void *block), (block))
FREES(_ZdlPv, (void *block), (block))
FREES(_ZdaPv, (void *block), (block))
FREES(_ZdlPvm, (void *block, size_t size), (block, size))
FREES(_ZdaPvm, (void *block, size_t size), (block, size))
FREES(_ZdlPvRKSt9nothrow_t, (void *block, const void *nothrow), (block, nothrow))
FREES(_ZdaPvRKSt9nothrow_t, (void *block, const void *nothrow), (block, nothrow))
FREES(_ZdlPvSt11align_val_t, (void *block, size_t alignment), (block, alignment))
FREES(_ZdaPvSt11align_val_t, (void *block, size_t alignment), (block, alignment))
FREES(_ZdlPvmSt11align_val_t, (void *block, size_t size, size_t alignment), (block, size, alignment))
FREES(_ZdaPvmSt11align_val_t, (void *block, size_t size, size_t alignment), (block, size, alignment))
