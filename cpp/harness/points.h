/* Forced into every file of a target (-include): makes each atomic operation a scheduling point.
 *
 * The compiler's atomic builtins become macros of the same name, which is safe because a macro is not
 * expanded inside its own expansion. libstdc++'s <atomic>, shared_ptr and atomic::wait, libc++'s
 * <atomic> and C's <stdatomic.h> are all built on these builtins, so no source needs to change.
 *
 * The hook is called before the operation and returns the address to operate on. Today that is always
 * the address it was given; returning another one is how a controller can choose which value a load
 * returns. */
#ifndef THREADBARE_POINTS_H
#define THREADBARE_POINTS_H

#ifdef __cplusplus
extern "C" {
#endif
/* operation: one of THREADBARE_* below; orders: a memory order of the compiler, of a compare-exchange THREADBARE_ORDERS;
 * expected: what a compare-exchange expects to be there, else null. */
void *threadbare_point(const volatile void *address, unsigned operation, unsigned size, int orders,
                       const volatile void *expected)
#ifdef __cplusplus
    noexcept
#endif
    ;
/* Called before a pause, by which a thread says that it waits for another one. */
void threadbare_pause(void)
#ifdef __cplusplus
    noexcept
#endif
    ;
/* Whether the weak compare-exchange whose point was just passed fails, whatever is there. */
int threadbare_weak_fails(void)
#ifdef __cplusplus
    noexcept
#endif
    ;
#ifdef __cplusplus
}
#endif

/* The same numbers as OpKind in src/model/op.rs. */
#define THREADBARE_LOAD 0u
#define THREADBARE_STORE 1u
#define THREADBARE_EXCHANGE 2u
#define THREADBARE_COMPARE_EXCHANGE 3u
#define THREADBARE_READ_MODIFY_WRITE 4u
#define THREADBARE_FENCE 5u

#define THREADBARE_AT(p, operation, order)                                                                  \
  ((__typeof__(p))threadbare_point((p), (operation), (unsigned)sizeof(*(p)), (int)(order), 0))
#define THREADBARE_AT_BYTE(p, operation, order)                                                             \
  ((__typeof__(p))threadbare_point((p), (operation), 1u, (int)(order), 0))
#define THREADBARE_HERE(operation, order)                                                                   \
  ((void)threadbare_point(0, (operation), 0u, (int)(order), 0))

/* The orders of a compare-exchange: if it succeeds, if it fails, and whether it may fail whatever is there. */
#define THREADBARE_ORDERS(success, failure, weak) ((int)(success) | (int)(failure) << 20 | ((weak) ? 1 << 24 : 0))
#define THREADBARE_COMPARE_AT(p, orders, e)                                                                 \
  ((__typeof__(p))threadbare_point((p), THREADBARE_COMPARE_EXCHANGE, (unsigned)sizeof(*(p)), (orders), (e)))

/* An operation with the operand `v`, of type `type`: it is evaluated first, since it may hold operations of its own, and
 * between the point and its operation there must be no other. */
#define THREADBARE_WITH(p, kind, order, type, v, operation)                                                 \
  __extension__({                                                                                           \
    type threadbare_v = (v);                                                                                \
    __typeof__(p) threadbare_p = THREADBARE_AT(p, kind, order);                                             \
    operation;                                                                                              \
  })
/* The type of an operand that is added and the like: its own. */
#ifdef __cplusplus
#define THREADBARE_ITS_TYPE auto
#else
#define THREADBARE_ITS_TYPE __auto_type
#endif

/* A compare-exchange for `d`, of type `type`: `operation` (the builtin on threadbare_p, _e and _v), unless it is weak and
 * fails; then `load` reads what is there into *threadbare_e. Each argument is evaluated once, before the point. */
#define THREADBARE_EXCHANGE_IF(p, e, type, d, weak, success, failure, load, operation)                      \
  __extension__({                                                                                           \
    __typeof__(e) threadbare_e = (e);                                                                       \
    type threadbare_v = (d);                                                                                \
    __typeof__(p) threadbare_p =                                                                            \
        THREADBARE_COMPARE_AT(p, THREADBARE_ORDERS(success, failure, weak), threadbare_e);                  \
    (weak) && threadbare_weak_fails() ? ((void)(load), 0 != 0) : (operation);                               \
  })

/* Where the compiler instruments atomic operations, these are not needed. */
#ifndef THREADBARE_ATOMICS_ELSEWHERE

/* GCC's builtins: libstdc++, C, and most hand-written code. */
#define __atomic_load_n(p, o) __atomic_load_n(THREADBARE_AT(p, THREADBARE_LOAD, o), o)
#define __atomic_load(p, r, o) __atomic_load(THREADBARE_AT(p, THREADBARE_LOAD, o), r, o)
#define __atomic_store_n(p, v, o)                                                                           \
  THREADBARE_WITH(p, THREADBARE_STORE, o, __typeof__(__atomic_load_n(p, __ATOMIC_RELAXED)), v,              \
                  __atomic_store_n(threadbare_p, threadbare_v, o))
#define __atomic_store(p, v, o) __atomic_store(THREADBARE_AT(p, THREADBARE_STORE, o), v, o)
#define __atomic_exchange_n(p, v, o)                                                                        \
  THREADBARE_WITH(p, THREADBARE_EXCHANGE, o, __typeof__(__atomic_load_n(p, __ATOMIC_RELAXED)), v,           \
                  __atomic_exchange_n(threadbare_p, threadbare_v, o))
#define __atomic_exchange(p, v, r, o) __atomic_exchange(THREADBARE_AT(p, THREADBARE_EXCHANGE, o), v, r, o)
#define __atomic_compare_exchange_n(p, e, d, w, s, f)                                                       \
  THREADBARE_EXCHANGE_IF(p, e, __typeof__(*(e)), d, w, s, f, *threadbare_e = __atomic_load_n(threadbare_p, f), \
                         __atomic_compare_exchange_n(threadbare_p, threadbare_e, threadbare_v, w, s, f))
#define __atomic_compare_exchange(p, e, d, w, s, f)                                                         \
  THREADBARE_EXCHANGE_IF(p, e, __typeof__(d), d, w, s, f, __atomic_load(threadbare_p, threadbare_e, f),        \
                         __atomic_compare_exchange(threadbare_p, threadbare_e, threadbare_v, w, s, f))
#define __atomic_add_fetch(p, v, o)                                                                         \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __atomic_add_fetch(threadbare_p, threadbare_v, o))
#define __atomic_sub_fetch(p, v, o)                                                                         \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __atomic_sub_fetch(threadbare_p, threadbare_v, o))
#define __atomic_and_fetch(p, v, o)                                                                         \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __atomic_and_fetch(threadbare_p, threadbare_v, o))
#define __atomic_or_fetch(p, v, o)                                                                          \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __atomic_or_fetch(threadbare_p, threadbare_v, o))
#define __atomic_xor_fetch(p, v, o)                                                                         \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __atomic_xor_fetch(threadbare_p, threadbare_v, o))
#define __atomic_nand_fetch(p, v, o)                                                                        \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __atomic_nand_fetch(threadbare_p, threadbare_v, o))
#define __atomic_fetch_add(p, v, o)                                                                         \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __atomic_fetch_add(threadbare_p, threadbare_v, o))
#define __atomic_fetch_sub(p, v, o)                                                                         \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __atomic_fetch_sub(threadbare_p, threadbare_v, o))
#define __atomic_fetch_and(p, v, o)                                                                         \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __atomic_fetch_and(threadbare_p, threadbare_v, o))
#define __atomic_fetch_or(p, v, o)                                                                          \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __atomic_fetch_or(threadbare_p, threadbare_v, o))
#define __atomic_fetch_xor(p, v, o)                                                                         \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __atomic_fetch_xor(threadbare_p, threadbare_v, o))
#define __atomic_fetch_nand(p, v, o)                                                                        \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __atomic_fetch_nand(threadbare_p, threadbare_v, o))
#define __atomic_test_and_set(p, o) __atomic_test_and_set(THREADBARE_AT_BYTE(p, THREADBARE_EXCHANGE, o), o)
#define __atomic_clear(p, o) __atomic_clear(THREADBARE_AT_BYTE(p, THREADBARE_STORE, o), o)
#define __atomic_thread_fence(o) (THREADBARE_HERE(THREADBARE_FENCE, o), __atomic_thread_fence(o))

/* Clang's builtins: libc++ and <stdatomic.h>. */
#ifdef __clang__
#define __c11_atomic_load(p, o) __c11_atomic_load(THREADBARE_AT(p, THREADBARE_LOAD, o), o)
#define __c11_atomic_store(p, v, o)                                                                         \
  THREADBARE_WITH(p, THREADBARE_STORE, o, __typeof__(__c11_atomic_load(p, __ATOMIC_RELAXED)), v,            \
                  __c11_atomic_store(threadbare_p, threadbare_v, o))
#define __c11_atomic_exchange(p, v, o)                                                                      \
  THREADBARE_WITH(p, THREADBARE_EXCHANGE, o, __typeof__(__c11_atomic_load(p, __ATOMIC_RELAXED)), v,         \
                  __c11_atomic_exchange(threadbare_p, threadbare_v, o))
#define __c11_atomic_compare_exchange_strong(p, e, d, s, f)                                                 \
  THREADBARE_EXCHANGE_IF(p, e, __typeof__(*(e)), d, 0, s, f, (void)0,                                          \
                         __c11_atomic_compare_exchange_strong(threadbare_p, threadbare_e, threadbare_v, s, f))
#define __c11_atomic_compare_exchange_weak(p, e, d, s, f)                                                   \
  THREADBARE_EXCHANGE_IF(p, e, __typeof__(*(e)), d, 1, s, f, *threadbare_e = __c11_atomic_load(threadbare_p, f), \
                         __c11_atomic_compare_exchange_weak(threadbare_p, threadbare_e, threadbare_v, s, f))
#define __c11_atomic_fetch_add(p, v, o)                                                                     \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __c11_atomic_fetch_add(threadbare_p, threadbare_v, o))
#define __c11_atomic_fetch_sub(p, v, o)                                                                     \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __c11_atomic_fetch_sub(threadbare_p, threadbare_v, o))
#define __c11_atomic_fetch_and(p, v, o)                                                                     \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __c11_atomic_fetch_and(threadbare_p, threadbare_v, o))
#define __c11_atomic_fetch_or(p, v, o)                                                                      \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __c11_atomic_fetch_or(threadbare_p, threadbare_v, o))
#define __c11_atomic_fetch_xor(p, v, o)                                                                     \
  THREADBARE_WITH(p, THREADBARE_READ_MODIFY_WRITE, o, THREADBARE_ITS_TYPE, v,                               \
                  __c11_atomic_fetch_xor(threadbare_p, threadbare_v, o))
#define __c11_atomic_thread_fence(o) (THREADBARE_HERE(THREADBARE_FENCE, o), __c11_atomic_thread_fence(o))
#endif

/* The older builtins; all are full barriers. */
#define __sync_synchronize()                                                                                \
  (THREADBARE_HERE(THREADBARE_FENCE, __ATOMIC_SEQ_CST), __sync_synchronize())
#define __sync_fetch_and_add(p, ...)                                                                        \
  __sync_fetch_and_add(THREADBARE_AT(p, THREADBARE_READ_MODIFY_WRITE, __ATOMIC_SEQ_CST), __VA_ARGS__)
#define __sync_fetch_and_sub(p, ...)                                                                        \
  __sync_fetch_and_sub(THREADBARE_AT(p, THREADBARE_READ_MODIFY_WRITE, __ATOMIC_SEQ_CST), __VA_ARGS__)
#define __sync_fetch_and_or(p, ...)                                                                         \
  __sync_fetch_and_or(THREADBARE_AT(p, THREADBARE_READ_MODIFY_WRITE, __ATOMIC_SEQ_CST), __VA_ARGS__)
#define __sync_fetch_and_and(p, ...)                                                                        \
  __sync_fetch_and_and(THREADBARE_AT(p, THREADBARE_READ_MODIFY_WRITE, __ATOMIC_SEQ_CST), __VA_ARGS__)
#define __sync_fetch_and_xor(p, ...)                                                                        \
  __sync_fetch_and_xor(THREADBARE_AT(p, THREADBARE_READ_MODIFY_WRITE, __ATOMIC_SEQ_CST), __VA_ARGS__)
#define __sync_add_and_fetch(p, ...)                                                                        \
  __sync_add_and_fetch(THREADBARE_AT(p, THREADBARE_READ_MODIFY_WRITE, __ATOMIC_SEQ_CST), __VA_ARGS__)
#define __sync_sub_and_fetch(p, ...)                                                                        \
  __sync_sub_and_fetch(THREADBARE_AT(p, THREADBARE_READ_MODIFY_WRITE, __ATOMIC_SEQ_CST), __VA_ARGS__)
#define __sync_or_and_fetch(p, ...)                                                                         \
  __sync_or_and_fetch(THREADBARE_AT(p, THREADBARE_READ_MODIFY_WRITE, __ATOMIC_SEQ_CST), __VA_ARGS__)
#define __sync_and_and_fetch(p, ...)                                                                        \
  __sync_and_and_fetch(THREADBARE_AT(p, THREADBARE_READ_MODIFY_WRITE, __ATOMIC_SEQ_CST), __VA_ARGS__)
#define __sync_xor_and_fetch(p, ...)                                                                        \
  __sync_xor_and_fetch(THREADBARE_AT(p, THREADBARE_READ_MODIFY_WRITE, __ATOMIC_SEQ_CST), __VA_ARGS__)
/* `e` and `d` are evaluated first, as above; further arguments only name what is protected. */
#define THREADBARE_SWAP_IF(name, p, e, d, ...)                                                              \
  __extension__({                                                                                           \
    __typeof__(*(p)) threadbare_e = (e), threadbare_v = (d);                                                \
    const int threadbare_o = THREADBARE_ORDERS(__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST, 0);                      \
    name(THREADBARE_COMPARE_AT(p, threadbare_o, &threadbare_e), threadbare_e, threadbare_v);                \
  })
#define __sync_bool_compare_and_swap(p, ...) THREADBARE_SWAP_IF(__sync_bool_compare_and_swap, p, __VA_ARGS__, 0)
#define __sync_val_compare_and_swap(p, ...) THREADBARE_SWAP_IF(__sync_val_compare_and_swap, p, __VA_ARGS__, 0)
#define __sync_lock_test_and_set(p, ...)                                                                    \
  __sync_lock_test_and_set(THREADBARE_AT(p, THREADBARE_EXCHANGE, __ATOMIC_SEQ_CST), __VA_ARGS__)
#define __sync_lock_release(p, ...)                                                                         \
  __sync_lock_release(THREADBARE_AT(p, THREADBARE_STORE, __ATOMIC_SEQ_CST), ##__VA_ARGS__)

#endif /* THREADBARE_ATOMICS_ELSEWHERE */

#if defined(__x86_64__) || defined(__i386__)
#define __builtin_ia32_pause() (threadbare_pause(), __builtin_ia32_pause())
#ifdef __clang__
/* Clang's header declares it, as a function of no parameters; that header is not included here, since it includes others
 * that depend on macros such as _GNU_SOURCE. */
#define _mm_pause(...) THREADBARE_MM_PAUSE_##__VA_ARGS__
#define THREADBARE_MM_PAUSE_ __builtin_ia32_pause()
#define THREADBARE_MM_PAUSE_void threadbare_mm_pause(void)
#endif
#elif defined(__aarch64__)
#define __builtin_arm_yield() (threadbare_pause(), __builtin_arm_yield())
#endif

#endif
