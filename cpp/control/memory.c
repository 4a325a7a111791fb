/* What the instrumentation of a program under check calls, in every build: it is linked with `--wrap` for these
 * functions (cpp/target/wrapped.txt, and wrapped_gcc.txt for what only g++ calls). Each is a scheduling point. Then, where the
 * sanitizer is loaded, its function of the plain name goes on by a jump, which leaves it the program's own return
 * address; elsewhere there is nothing to do for plain accesses, and atomic operations are made here, watched by
 * AddressSanitizer where that is loaded. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CALLER __builtin_return_address(0)
/* The sanitizer's function of a name, in a variable of that name with an underscore behind it; null without it. */
#define SANITIZER(result, name, parameters)                                                                 \
  static result(*name##_) parameters;                                                                       \
  __attribute__((constructor)) static void find_##name(void) {                                              \
    *(void **)&name##_ = dlsym(RTLD_DEFAULT, #name);                                                        \
  }

/* src/control/hooks/atomic.rs and memory.rs */
void *threadbare_point_at(const volatile void *address, unsigned operation, unsigned size, int orders,
                          const volatile void *expected, const void *caller);
/* `what` is 0 for a read, 1 for a write, and more, as src/control/hooks/memory.rs says. The size is 0 where more is accessed than what begins there: the source of a copy. */
void threadbare_access(const volatile void *address, unsigned what, const void *place, unsigned size);
void threadbare_copy(const volatile void *target, const volatile void *source, const void *place,
                     size_t size);
/* src/control/alone.rs */
extern long threadbare_alone;

static inline __attribute__((always_inline)) void access(const volatile void *address, unsigned is_write,
                                                         const void *place, unsigned size) {
  if (threadbare_alone > 1) {
    --threadbare_alone;
  } else {
    threadbare_access(address, is_write, place, size);
  }
}

static inline __attribute__((always_inline)) void copy(const volatile void *target,
                                                       const volatile void *source, const void *place,
                                                       size_t size) {
  if (threadbare_alone > 1) {
    --threadbare_alone;
  } else {
    threadbare_copy(target, source, place, size);
  }
}

/* Of memset. */
static inline __attribute__((always_inline)) void fill(const volatile void *target, int value,
                                                       const void *place, size_t size) {
  (void)value;
  access(target, 1, place, size <= UINT32_MAX ? (unsigned)size : 0);
}

/* The numbers of points.h. */
enum { LOAD, STORE, EXCHANGE, COMPARE_EXCHANGE, READ_MODIFY_WRITE, FENCE };

/* Plain accesses. */
#define ACCESS(name, is_write, size)                                                                        \
  SANITIZER(void, __tsan_##name, (void *address))                                                           \
  void __wrap___tsan_##name(void *address) {                                                                \
    access(address, is_write, CALLER, size);                                                                \
    if (__tsan_##name##_) __tsan_##name##_(address);                                                        \
  }
#define UNALIGNED(name, is_write)                                                                           \
  ACCESS(name##2, is_write, 2)                                                                              \
  ACCESS(name##4, is_write, 4)                                                                              \
  ACCESS(name##8, is_write, 8)                                                                              \
  ACCESS(name##16, is_write, 16)
#define SIZES(name, is_write) ACCESS(name##1, is_write, 1) UNALIGNED(name, is_write)
SIZES(read, 0)
SIZES(write, 1)
UNALIGNED(unaligned_read, 0)
UNALIGNED(unaligned_write, 1)
ACCESS(vptr_read, 0, sizeof(void *))

SANITIZER(void, __tsan_vptr_update, (void **place, void *value))
void __wrap___tsan_vptr_update(void **place, void *value) {
  /* 2: what is there already may be written at any time, as TSan has it too. */
  access(place, *place == value ? 2 : 1, CALLER, sizeof(void *));
  if (__tsan_vptr_update_) __tsan_vptr_update_(place, value);
}

#define RANGE(name, is_write)                                                                               \
  SANITIZER(void, __tsan_##name, (void *address, unsigned long size))                                       \
  void __wrap___tsan_##name(void *address, unsigned long size) {                                            \
    access(address, is_write, CALLER, size <= UINT32_MAX ? (unsigned)size : 0);                             \
    if (__tsan_##name##_) __tsan_##name##_(address, size);                                                  \
  }
RANGE(read_range, 0)
RANGE(write_range, 1)

/* Functions. */
SANITIZER(void, __tsan_init, (void))
SANITIZER(void, __tsan_func_entry, (void *caller))
SANITIZER(void, __tsan_func_exit, (void))
void __wrap___tsan_init(void) {
  if (__tsan_init_) __tsan_init_();
}
void __wrap___tsan_func_entry(void *caller) {
  if (__tsan_func_entry_) __tsan_func_entry_(caller);
}
void __wrap___tsan_func_exit(void) {
  if (__tsan_func_exit_) __tsan_func_exit_();
}

/* Blocks of memory: one point, since nobody copies byte by byte, and none within the stack of a thread. The plain functions
 * are those that come after the executable's (blocks.c), so a sanitizer's. */
#define NEXT(name)                                                                                          \
  static __typeof__(&name) next_##name;                                                                     \
  __attribute__((constructor)) static void find_next_##name(void) {                                         \
    *(void **)&next_##name = dlsym(RTLD_NEXT, #name);                                                       \
  }
NEXT(memcpy)
NEXT(memmove)
NEXT(memset)
#define BLOCK(name, type, access_both)                                                                      \
  SANITIZER(void *, __tsan_##name, (void *target, type source, size_t size))                                \
  SANITIZER(void *, __asan_##name, (void *target, type source, size_t size))                                \
  void *__wrap___tsan_##name(void *target, type source, size_t size) {                                      \
    access_both(target, source, CALLER, size);                                                              \
    if (__tsan_##name##_) return __tsan_##name##_(target, source, size);                                    \
    if (__asan_##name##_) return __asan_##name##_(target, source, size);                                    \
    return next_##name(target, source, size);                                                               \
  }
BLOCK(memcpy, const void *, copy)
BLOCK(memmove, const void *, copy)
BLOCK(memset, int, fill)

/* g++ leaves calls of these as they are. */
void *__wrap_memcpy(void *target, const void *source, size_t size) {
  copy(target, source, CALLER, size);
  return next_memcpy(target, source, size);
}
void *__wrap_memmove(void *target, const void *source, size_t size) {
  copy(target, source, CALLER, size);
  return next_memmove(target, source, size);
}
void *__wrap_memset(void *target, int value, size_t size) {
  fill(target, value, CALLER, size);
  return next_memset(target, value, size);
}

/* The checks of AddressSanitizer, which are all that g++ calls in its builds, also before atomic operations. */
enum { MAY_BE_ATOMIC = 4 };
#define CHECK(name, is_write, bytes)                                                                        \
  SANITIZER(void, __asan_##name, (uintptr_t address))                                                       \
  void __wrap___asan_##name(uintptr_t address) {                                                            \
    access((const void *)address, MAY_BE_ATOMIC | is_write, CALLER, bytes);                                 \
    if (__asan_##name##_) __asan_##name##_(address);                                                        \
  }
#define CHECKS(name, is_write)                                                                              \
  CHECK(name##1, is_write, 1)                                                                               \
  CHECK(name##2, is_write, 2)                                                                               \
  CHECK(name##4, is_write, 4)                                                                               \
  CHECK(name##8, is_write, 8)                                                                               \
  CHECK(name##16, is_write, 16)
CHECKS(load, 0)
CHECKS(store, 1)
#define CHECK_RANGE(name, is_write)                                                                         \
  SANITIZER(void, __asan_##name, (uintptr_t address, uintptr_t size))                                       \
  void __wrap___asan_##name(uintptr_t address, uintptr_t size) {                                            \
    access((const void *)address, MAY_BE_ATOMIC | is_write, CALLER, size <= UINT32_MAX ? (unsigned)size : 0); \
    if (__asan_##name##_) __asan_##name##_(address, size);                                                  \
  }
CHECK_RANGE(loadN, 0)
CHECK_RANGE(storeN, 1)

/* Atomic operations. */
/* src/control/hooks/atomic.rs: the target has points of its own at these (points.h). */
extern int threadbare_points_are_made;
/* src/control/hooks/weak.rs: where the operation is made whose point was passed last, and what to call for one that has no point:
 * an operator of C's _Atomic types. */
extern uintptr_t threadbare_placed;
void threadbare_unplaced(const volatile void *address, unsigned operation, unsigned size, int orders,
                         const volatile void *expected, const void *caller);
/* src/control/order.rs: ThreadSanitizer has been told of the operation, and must not see it again where it is made. */
extern int threadbare_exact;

#define READS(address)                                                                                      \
  if (__asan_loadN_) __asan_loadN_((uintptr_t)(address), sizeof *(address))
#define WRITES(address)                                                                                     \
  if (__asan_storeN_) __asan_storeN_((uintptr_t)(address), sizeof *(address))
/* From there on `a` is where the operation is made, and `meant` where the program means it to be. */
#define POINT_OF(operation, orders, expected)                                                               \
  __typeof__(a) const meant = a;                                                                            \
  if (!threadbare_points_are_made) {                                                                        \
    a = (__typeof__(a))threadbare_point_at(a, operation, (unsigned)sizeof *a, orders, expected, CALLER);    \
  } else if (threadbare_exact) {                                                                            \
    if (threadbare_placed != (uintptr_t)a)                                                                  \
      threadbare_unplaced(a, operation, (unsigned)sizeof *a, orders, expected, CALLER);                     \
    threadbare_placed = 0;                                                                                  \
  }
#define POINT(operation, order) POINT_OF(operation, order, NULL)
/* As THREADBARE_ORDERS of points.h. */
#define COMPARE_POINT(order, fail, expected) POINT_OF(COMPARE_EXCHANGE, (order) | (fail) << 20, expected)
#define IS_SEEN_BY(function) ((function) && !threadbare_exact)

/* What the compiler has no instructions for. One thread of a program under check runs at a time, so these need not be
 * atomic themselves. */
__extension__ typedef unsigned __int128 uint128;
#define WIDE(name, result)                                                                                  \
  static uint128 wide_##name(volatile uint128 *a, uint128 v, int order) {                                   \
    (void)order;                                                                                            \
    const uint128 before = *a;                                                                              \
    *a = (result);                                                                                          \
    return before;                                                                                          \
  }
WIDE(exchange_n, v)
WIDE(fetch_add, before + v)
WIDE(fetch_sub, before - v)
WIDE(fetch_and, before &v)
WIDE(fetch_or, before | v)
WIDE(fetch_xor, before ^ v)
WIDE(fetch_nand, ~(before & v))
#define wide_load_n(a, order) (*(a))
#define wide_store_n(a, v, order) ((void)wide_exchange_n(a, v, order))
static int wide_compare_exchange_n(volatile uint128 *a, uint128 *e, uint128 v, int weak,
                                   int order, int fail) {
  (void)weak, (void)order, (void)fail;
  const uint128 before = *a;
  if (before == *e) {
    *a = v;
    return 1;
  }
  *e = before;
  return 0;
}

#define READ_MODIFY_WRITE_OF(bits, type, name, operation, builtin)                                          \
  SANITIZER(type, __tsan_atomic##bits##_##name, (volatile type *a, type v, int order))                      \
  type __wrap___tsan_atomic##bits##_##name(volatile type *a, type v, int order) {                           \
    POINT(operation, order);                                                                                \
    if (IS_SEEN_BY(__tsan_atomic##bits##_##name##_))                                                        \
      return __tsan_atomic##bits##_##name##_(a, v, order);                                                  \
    WRITES(meant);                                                                                          \
    return builtin(a, v, __ATOMIC_SEQ_CST);                                                                 \
  }

#define ATOMIC(bits, type, prefix)                                                                          \
  READ_MODIFY_WRITE_OF(bits, type, fetch_or, READ_MODIFY_WRITE, prefix##fetch_or)                           \
  SANITIZER(type, __tsan_atomic##bits##_load, (const volatile type *a, int order))                          \
  type __wrap___tsan_atomic##bits##_load(const volatile type *a, int order) {                               \
    POINT(LOAD, order);                                                                                     \
    if (IS_SEEN_BY(__tsan_atomic##bits##_load_)) return __tsan_atomic##bits##_load_(a, order);              \
    READS(meant);                                                                                           \
    return prefix##load_n(a, __ATOMIC_SEQ_CST);                                                             \
  }                                                                                                         \
  SANITIZER(void, __tsan_atomic##bits##_store, (volatile type *a, type v, int order))                       \
  void __wrap___tsan_atomic##bits##_store(volatile type *a, type v, int order) {                            \
    POINT(STORE, order);                                                                                    \
    if (IS_SEEN_BY(__tsan_atomic##bits##_store_)) {                                                         \
      __tsan_atomic##bits##_store_(a, v, order);                                                            \
      return;                                                                                               \
    }                                                                                                       \
    WRITES(meant);                                                                                          \
    prefix##store_n(a, v, __ATOMIC_SEQ_CST);                                                                \
  }                                                                                                         \
  READ_MODIFY_WRITE_OF(bits, type, exchange, EXCHANGE, prefix##exchange_n)                                  \
  READ_MODIFY_WRITE_OF(bits, type, fetch_add, READ_MODIFY_WRITE, prefix##fetch_add)                         \
  READ_MODIFY_WRITE_OF(bits, type, fetch_sub, READ_MODIFY_WRITE, prefix##fetch_sub)                         \
  READ_MODIFY_WRITE_OF(bits, type, fetch_and, READ_MODIFY_WRITE, prefix##fetch_and)                         \
  READ_MODIFY_WRITE_OF(bits, type, fetch_xor, READ_MODIFY_WRITE, prefix##fetch_xor)                         \
  READ_MODIFY_WRITE_OF(bits, type, fetch_nand, READ_MODIFY_WRITE, prefix##fetch_nand)                       \
  COMPARE_EXCHANGE_OF(bits, type, strong, prefix)                                                           \
  COMPARE_EXCHANGE_OF(bits, type, weak, prefix)                                                             \
  SANITIZER(type, __tsan_atomic##bits##_compare_exchange_val,                                               \
            (volatile type *a, type e, type v, int order, int fail))                                        \
  type __wrap___tsan_atomic##bits##_compare_exchange_val(volatile type *a, type e, type v, int order,       \
                                                           int fail) {                                      \
    COMPARE_POINT(order, fail, &e);                                                                         \
    if (IS_SEEN_BY(__tsan_atomic##bits##_compare_exchange_val_))                                            \
      return __tsan_atomic##bits##_compare_exchange_val_(a, e, v, order, fail);                             \
    WRITES(meant);                                                                                          \
    prefix##compare_exchange_n(a, &e, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                            \
    return e;                                                                                               \
  }

#define COMPARE_EXCHANGE_OF(bits, type, kind, prefix)                                                       \
  SANITIZER(int, __tsan_atomic##bits##_compare_exchange_##kind,                                             \
            (volatile type *a, type *e, type v, int order, int fail))                                       \
  int __wrap___tsan_atomic##bits##_compare_exchange_##kind(volatile type *a, type *e, type v, int order,    \
                                                             int fail) {                                    \
    COMPARE_POINT(order, fail, e);                                                                          \
    if (IS_SEEN_BY(__tsan_atomic##bits##_compare_exchange_##kind##_))                                       \
      return __tsan_atomic##bits##_compare_exchange_##kind##_(a, e, v, order, fail);                        \
    WRITES(meant);                                                                                          \
    return prefix##compare_exchange_n(a, e, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                      \
  }

ATOMIC(8, uint8_t, __atomic_)
ATOMIC(16, uint16_t, __atomic_)
ATOMIC(32, uint32_t, __atomic_)
ATOMIC(64, uint64_t, __atomic_)
ATOMIC(128, uint128, wide_)

SANITIZER(void, __tsan_atomic_thread_fence, (int order))
void __wrap___tsan_atomic_thread_fence(int order) {
  if (!threadbare_points_are_made) (void)threadbare_point_at(NULL, FENCE, 0, order, NULL, CALLER);
  if (__tsan_atomic_thread_fence_) {
    __tsan_atomic_thread_fence_(order);
  } else {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
  }
}
SANITIZER(void, __tsan_atomic_signal_fence, (int order))
void __wrap___tsan_atomic_signal_fence(int order) {
  if (__tsan_atomic_signal_fence_) __tsan_atomic_signal_fence_(order);
}
