/* What the controller's hooks stand in front of: the sanitizer's interceptor of a function where it has
 * one, else the definition in the next shared library. Never instrumented.
 *
 * Mostly the sanitizer's runtime is a shared library that is loaded before the executable, and the next one after it. A
 * fuzz target has it inside (fuzz/build.rs). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Weak: null unless a sanitizer that is linked into the executable has such an interceptor. */
#define INTERCEPTED(X)                                                                                      \
  X(pthread_create) X(pthread_join) X(pthread_detach) X(pthread_once)                                       \
  X(pthread_mutex_lock) X(pthread_mutex_trylock) X(pthread_mutex_timedlock) X(pthread_mutex_clocklock)      \
  X(pthread_mutex_unlock) X(pthread_cond_wait) X(pthread_cond_timedwait) X(pthread_cond_clockwait)          \
  X(pthread_cond_signal) X(pthread_cond_broadcast) X(__cxa_guard_acquire) X(__cxa_guard_release)            \
  X(__cxa_guard_abort) X(nanosleep) X(clock_nanosleep) X(usleep) X(sleep) X(clock_gettime)                  \
  X(gettimeofday) X(time) X(pthread_setname_np) X(pthread_rwlock_rdlock) X(pthread_rwlock_wrlock)           \
  X(pthread_rwlock_timedrdlock) X(pthread_rwlock_timedwrlock) X(pthread_barrier_wait)                       \
  X(pthread_spin_lock) X(sem_wait) X(sem_timedwait) X(sem_clockwait) X(poll) X(ppoll) X(epoll_wait)         \
  X(fork) X(vfork) X(pthread_timedjoin_np) X(pthread_tryjoin_np) X(pthread_exit) X(pthread_getattr_np)      \
  X(pthread_kill) X(select) X(pthread_clockjoin_np)                                                         \
  X(open) X(open64) X(openat) X(openat64) X(creat) X(creat64) X(close) X(dup) X(dup2) X(dup3)               \
  X(read) X(pread) X(pread64) X(readv) X(write) X(pwrite) X(pwrite64) X(writev) X(fcntl) X(fcntl64)         \
  X(fsync) X(fdatasync) X(ftruncate) X(ftruncate64) X(truncate) X(truncate64) X(flock)                      \
  X(rename) X(renameat) X(renameat2) X(link) X(linkat) X(symlink) X(symlinkat) X(mkdir) X(mkdirat)          \
  X(unlink) X(unlinkat) X(remove) X(rmdir) X(access) X(faccessat) X(statx) X(stat) X(stat64) X(lstat)       \
  X(lstat64) X(fstat) X(fstat64) X(fstatat) X(fstatat64) X(opendir) X(fdopendir) X(readdir) X(readdir64)    \
  X(rewinddir) X(closedir) X(fopen) X(fopen64) X(fclose)                                                    \
  X(pthread_rwlock_tryrdlock) X(pthread_rwlock_trywrlock) X(pthread_rwlock_clockrdlock)                     \
  X(pthread_rwlock_clockwrlock) X(pthread_rwlock_unlock) X(pthread_spin_trylock) X(pthread_spin_unlock)     \
  X(pthread_barrier_destroy) X(sem_trywait) X(sem_post) X(sem_getvalue) X(sem_open) X(sem_close)            \
  X(sem_unlink) X(pthread_key_create) X(pthread_setspecific) X(pthread_getspecific) X(pthread_sigmask)      \
  X(sigprocmask) X(call_once) X(thrd_create) X(thrd_join) X(thrd_detach) X(thrd_exit) X(pthread_getname_np) \
  X(sigaction) X(signal) X(raise) X(sigpending) X(sigaltstack) X(siglongjmp) X(pause)                       \
  X(pthread_getaffinity_np) X(pthread_getschedparam) X(pthread_setschedparam) X(kill) X(sigwait)            \
  X(sigwaitinfo) X(sigtimedwait) X(sigsuspend) X(pipe) X(pipe2) X(socket) X(socketpair) X(eventfd)          \
  X(timerfd_create) X(signalfd) X(epoll_create) X(epoll_create1) X(inotify_init) X(inotify_init1)           \
  X(clone) X(posix_spawn) X(posix_spawnp) X(popen) X(setitimer) X(epoll_pwait) X(pselect)                   \
  X(epoll_ctl) X(bind) X(listen) X(connect) X(accept) X(accept4) X(shutdown) X(getsockname) X(getpeername)  \
  X(getsockopt) X(setsockopt) X(send) X(sendto) X(sendmsg) X(recv) X(recvfrom) X(recvmsg) X(ioctl)          \
  X(timerfd_settime) X(timerfd_gettime) X(eventfd_read) X(eventfd_write) X(epoll_pwait2) X(preadv)          \
  X(preadv64) X(pwritev) X(pwritev64) X(lseek) X(lseek64) X(sendfile) X(sendfile64) X(splice) X(isatty)     \
  X(tmpfile) X(tmpfile64) X(freopen) X(freopen64) X(readdir_r) X(readdir64_r)                               \
  X(pthread_mutex_init) X(pthread_mutex_destroy) X(pthread_cond_init) X(pthread_cond_destroy)               \
  X(pthread_rwlock_init) X(pthread_rwlock_destroy) X(pthread_spin_init) X(pthread_spin_destroy)             \
  X(pthread_barrier_init) X(sem_init) X(sem_destroy)                                                        \
  X(_Znwm) X(_Znam) X(_ZnwmSt11align_val_t) X(_ZnamSt11align_val_t) X(_ZnwmRKSt9nothrow_t)                  \
  X(_ZnamRKSt9nothrow_t) X(_ZnwmSt11align_val_tRKSt9nothrow_t) X(_ZnamSt11align_val_tRKSt9nothrow_t)

#define DECLARE(name) extern char __interceptor_##name[] __attribute__((weak));
INTERCEPTED(DECLARE)

void *threadbare_real(const char *name) {
#define FIND(function)                                                                                      \
  if (&__interceptor_##function[0] != NULL && strcmp(name, #function) == 0)                                 \
    return (void *)&__interceptor_##function[0];
  INTERCEPTED(FIND)
  void *next = dlsym(RTLD_NEXT, name);
  if (next == NULL) {
    fprintf(stderr, "threadbare: no definition of %s behind the hook\n", name);
    abort();
  }
  return next;
}

/* The sanitizers' runtimes start their symbolizer with this, in the middle of a report (fuzz/build.rs renames it in those
 * that are linked into the executable). */
int threadbare_system_pipe(int descriptors[2]) {
  /* Past the hook, which refuses it. */
  long (*real)(long, ...) = (long (*)(long, ...))threadbare_real("syscall");
  return (int)real(SYS_pipe2, descriptors, 0);
}

static int is_same_object(const void *one, const void *other) {
  Dl_info a, b;
  return one != NULL && other != NULL && dladdr(one, &a) != 0 && dladdr(other, &b) != 0 && a.dli_fbase == b.dli_fbase;
}

/* Whether each form of operator new stands by itself behind the hooks, as in the sanitizers' runtimes, and
 * is not built upon another form. The shared runtime of clang's ThreadSanitizer has none. */
int threadbare_operators_are_apart;

__attribute__((constructor)) static void find_operators(void) {
  /* By way of a variable, since g++ takes an array's address for never null, even a weak one's. */
  char *volatile operator_new_array = __interceptor__Znam;
  threadbare_operators_are_apart =
      operator_new_array != NULL ||
      is_same_object(dlsym(RTLD_NEXT, "_Znam"), dlsym(RTLD_DEFAULT, "__sanitizer_set_report_path"));
}

/* std::call_once keeps its callable in two thread_local variables of libstdc++. Code compiled with
 * -femulated-tls asks for them under emulated names, which the library does not have. */
extern __thread void *once_callable __asm__("_ZSt15__once_callable");
extern __thread void *once_call __asm__("_ZSt11__once_call");
const char once_callable_name[4 * sizeof(void *)] __asm__("__emutls_v._ZSt15__once_callable") = {0};
const char once_call_name[4 * sizeof(void *)] __asm__("__emutls_v._ZSt11__once_call") = {0};

/* Which of the two an emulated name stands for, or -1 for a variable that really is emulated. */
int threadbare_once_variable(const void *control) {
  return control == once_callable_name ? 0 : control == once_call_name ? 1 : -1;
}
void **threadbare_own_once_variable(int index) { return index == 0 ? &once_callable : &once_call; }

/* Every report is kept, with its full stacks; the controller decides what ends an execution. Reports of
 * equal stacks are kept too, or a finding could not be replayed in the process that made it. */
#ifdef __clang__
#define SYMBOLIZE
#else
/* The runtime of g++ reads debug information in the middle of a report, with calls of `open` that would be points: a
 * switch there leaves others waiting for the report's lock for ever. */
#define SYMBOLIZE "symbolize=0:"
#endif
const char *__tsan_default_options(void) {
  return SYMBOLIZE "halt_on_error=0:suppress_equal_stacks=0:suppress_equal_addresses=0:report_signal_unsafe=0:"
         "report_thread_leaks=0:detect_deadlocks=0:exitcode=0:handle_segv=1:history_size=4";
}
/* Leaks are looked for by the controller at the end of a slice, not at exit. Return addresses on fake
 * stacks would cost more than they show in coroutine code, whose variables live in frames. */
const char *__asan_default_options(void) {
  return "abort_on_error=0:exitcode=86:detect_leaks=1:leak_check_at_exit=0:detect_stack_use_after_return=0:"
         "allocator_may_return_null=0:handle_segv=1:handle_abort=1:allow_user_segv_handler=1";
}
const char *__ubsan_default_options(void) { return "print_stacktrace=1"; }

/* The sanitizers' interfaces, for src/control/sanitizer.rs; null without them. */
struct threadbare_sanitizer {
  void *(*current_fiber)(void);
  void *(*create_fiber)(unsigned flags);
  void (*switch_to_fiber)(void *fiber, unsigned flags);
  void (*destroy_fiber)(void *fiber);
  void (*acquire)(void *address);
  void (*release)(void *address);
  void (*ignore_begin)(void);
  void (*ignore_end)(void);
  void (*atomic_store)(volatile uint64_t *cell, uint64_t value, int order);
  /* Of 1, 2, 4 and 8 bytes. */
  void (*atomic_load[4])(const volatile void *address, int order);
  void (*atomic_or[4])(volatile void *address, uint64_t value, int order);
  void (*func_entry)(void *caller);
  void (*func_exit)(void);
  void (*start_switch)(void **fake, const void *bottom, size_t size);
  void (*finish_switch)(void *fake, const void **bottom, size_t *size);
  void (*unpoison)(const volatile void *address, size_t size);
  void (*read)(void *address, void *caller);
  void (*write)(void *address, void *caller);
  void (*read_range)(const void *start, size_t size, const void *caller);
  void (*write_range)(const void *start, size_t size, const void *caller);
  void (*load)(uintptr_t address, size_t size);
  void (*store)(uintptr_t address, size_t size);
  int (*leak_check)(void);
  int (*report_access)(void *report, unsigned long index, int *thread, void **address, int *size, int *write,
                       int *atomic, void **trace, unsigned long trace_size);
  void (*benign_race)(const char *file, int line, const volatile void *start, size_t size, const char *what);
  int (*watch_allocations)(void (*allocated)(const volatile void *block, size_t size),
                           void (*freed)(const volatile void *block));
  int (*is_block)(const volatile void *block);
  size_t (*size_of_block)(const volatile void *block);
};

struct threadbare_sanitizer threadbare_sanitizer;

#define FIND_INTERFACE(member, name) *(void **)&threadbare_sanitizer.member = dlsym(RTLD_DEFAULT, name)

__attribute__((constructor)) static void find_interface(void) {
  FIND_INTERFACE(current_fiber, "__tsan_get_current_fiber");
  FIND_INTERFACE(create_fiber, "__tsan_create_fiber");
  FIND_INTERFACE(switch_to_fiber, "__tsan_switch_to_fiber");
  FIND_INTERFACE(destroy_fiber, "__tsan_destroy_fiber");
  FIND_INTERFACE(acquire, "__tsan_acquire");
  FIND_INTERFACE(release, "__tsan_release");
  FIND_INTERFACE(ignore_begin, "__tsan_ignore_thread_begin");
  FIND_INTERFACE(ignore_end, "__tsan_ignore_thread_end");
  FIND_INTERFACE(atomic_store, "__tsan_atomic64_store");
  FIND_INTERFACE(atomic_load[0], "__tsan_atomic8_load");
  FIND_INTERFACE(atomic_load[1], "__tsan_atomic16_load");
  FIND_INTERFACE(atomic_load[2], "__tsan_atomic32_load");
  FIND_INTERFACE(atomic_load[3], "__tsan_atomic64_load");
  FIND_INTERFACE(atomic_or[0], "__tsan_atomic8_fetch_or");
  FIND_INTERFACE(atomic_or[1], "__tsan_atomic16_fetch_or");
  FIND_INTERFACE(atomic_or[2], "__tsan_atomic32_fetch_or");
  FIND_INTERFACE(atomic_or[3], "__tsan_atomic64_fetch_or");
  FIND_INTERFACE(func_entry, "__tsan_func_entry");
  FIND_INTERFACE(func_exit, "__tsan_func_exit");
  FIND_INTERFACE(start_switch, "__sanitizer_start_switch_fiber");
  FIND_INTERFACE(finish_switch, "__sanitizer_finish_switch_fiber");
  FIND_INTERFACE(unpoison, "__asan_unpoison_memory_region");
  FIND_INTERFACE(read, "__tsan_read1_pc");
  FIND_INTERFACE(write, "__tsan_write1_pc");
  FIND_INTERFACE(read_range, "__tsan_read_range_pc");
  FIND_INTERFACE(write_range, "__tsan_write_range_pc");
  FIND_INTERFACE(load, "__asan_loadN");
  FIND_INTERFACE(store, "__asan_storeN");
  FIND_INTERFACE(leak_check, "__lsan_do_recoverable_leak_check");
  FIND_INTERFACE(report_access, "__tsan_get_report_mop");
  FIND_INTERFACE(benign_race, "AnnotateBenignRaceSized");
  if (threadbare_sanitizer.unpoison != NULL) {
    FIND_INTERFACE(watch_allocations, "__sanitizer_install_malloc_and_free_hooks");
    FIND_INTERFACE(is_block, "__sanitizer_get_ownership");
    FIND_INTERFACE(size_of_block, "__sanitizer_get_allocated_size");
  }
}
