// Probes of the lives of threads: values of their own, exits, joins, signals; and of C11's threads.
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <semaphore.h>
#include <signal.h>
#include <threads.h>
#include <time.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>

#include "probes/probes.hpp"
#include "probes/scenarios/threads.hpp"

namespace threadbare {

namespace {

using namespace std::chrono_literals;

/// What destructors of thread-specific values are given, and in which order.
std::atomic<int> destroyed{0};
pthread_key_t again;

struct Late {
  ~Late() { destroyed = destroyed * 10 + 1; }
};

/// Always 1234: values are each thread's own, a thread_local goes first (1), then values in rounds (2, 3 and, having
/// been set anew, 4).
std::int64_t specific() {
  destroyed = 0;
  pthread_key_t first, second;
  pthread_key_create(&first, [](void *) { destroyed = destroyed * 10 + 2; });
  pthread_key_create(&second, nullptr);
  pthread_key_create(&again, [](void *value) {
    destroyed = destroyed * 10 + (value == &again ? 3 : 4);
    if (value == &again) pthread_setspecific(again, &destroyed);
  });
  int here = 0;
  pthread_setspecific(second, &here);
  std::thread thread([&] {
    static thread_local std::unique_ptr<Late> late;
    late = std::make_unique<Late>();
    int own = 0;
    if (pthread_getspecific(second) == nullptr) pthread_setspecific(second, &own);
    if (pthread_getspecific(second) != &own) destroyed = 9;
    pthread_setspecific(first, &own);
    pthread_setspecific(again, &again);
  });
  thread.join();
  const bool kept = pthread_getspecific(second) == &here;
  pthread_key_delete(first);
  pthread_key_delete(second);
  pthread_key_delete(again);
  return kept && pthread_setspecific(second, &here) == EINVAL && pthread_getspecific(second) == nullptr ? destroyed.load()
                                                                                                       : 0;
}

struct Unwound {
  explicit Unwound(std::atomic<int> *place) : count(place) {}
  Unwound(const Unwound &) = delete;
  Unwound &operator=(const Unwound &) = delete;
  ~Unwound() { ++*count; }
  std::atomic<int> *count;
};

void exit_from_below(std::atomic<int> *count) {
  const Unwound here(count);
  try {
    pthread_exit(count);
  } catch (...) {
    ++*count;
    throw;
  }
}

/// Always 14: an exit from below ends the thread with its result (10), and destructors (2), a `catch (...)` (1) and a
/// cleanup handler (1) run on the way.
std::int64_t thread_exit() {
  std::atomic<int> count{0};
  pthread_t thread{};
  pthread_create(
      &thread, nullptr,
      [](void *argument) -> void * {
        const auto place = static_cast<std::atomic<int> *>(argument);
        const Unwound here(place);
        pthread_cleanup_push([](void *handled) { ++*static_cast<std::atomic<int> *>(handled); }, argument);
        exit_from_below(place);
        pthread_cleanup_pop(0);
        return nullptr;
      },
      &count);
  void *result = nullptr;
  pthread_join(thread, &result);
  return count + (result == &count ? 10 : 0);
}

// What pthread_cleanup_push is made of in C without exceptions.
extern "C" void __pthread_register_cancel(__pthread_unwind_buf_t *);
extern "C" void __pthread_unwind_next(__pthread_unwind_buf_t *);

void *exit_with_c_handler(void *argument) {
  const auto count = static_cast<std::atomic<int> *>(argument);
  __pthread_unwind_buf_t buffer;
  if (__sigsetjmp(reinterpret_cast<__jmp_buf_tag *>(buffer.__cancel_jmp_buf), 0) != 0) {
    ++*count;
    __pthread_unwind_next(&buffer);
  }
  __pthread_register_cancel(&buffer);
  exit_from_below(count);
  return nullptr;
}

/// Always 13: the handlers of C run too (1), after what is below them (2).
std::int64_t c_cleanup() {
  std::atomic<int> count{0};
  pthread_t thread{};
  pthread_create(&thread, nullptr, exit_with_c_handler, &count);
  void *result = nullptr;
  pthread_join(thread, &result);
  return count + (result == &count ? 10 : 0);
}

/// Always 15: joins that do not wait, or not for ever.
std::int64_t timed_joins() {
  std::int64_t result = 0;
  sem_t leave;
  sem_init(&leave, 0, 0);
  pthread_t thread{};
  pthread_create(
      &thread, nullptr,
      [](void *argument) -> void * {
        sem_wait(static_cast<sem_t *>(argument));
        return argument;
      },
      &leave);
  void *value = nullptr;
  if (pthread_tryjoin_np(thread, &value) == EBUSY) result |= 1;
  auto soon = after(1s);
  if (pthread_timedjoin_np(thread, &value, &soon) == ETIMEDOUT) result |= 2;
  sem_post(&leave);
  soon = after(3600s, CLOCK_MONOTONIC);
  int error = pthread_clockjoin_np(thread, &value, CLOCK_MONOTONIC, &soon);
  if (error == ETIMEDOUT) error = pthread_join(thread, &value);
  if (error == 0 && value == &leave) result |= 4;
  if (pthread_tryjoin_np(pthread_self(), &value) != 0) result |= 8;
  return result;
}

/// Always 1: one thread does nothing but ask whether another one has ended.
std::int64_t tryjoin_spin() {
  pthread_t thread{};
  std::atomic<int> value{0};
  pthread_create(
      &thread, nullptr,
      [](void *argument) -> void * {
        *static_cast<std::atomic<int> *>(argument) = 1;
        return argument;
      },
      &value);
  while (pthread_tryjoin_np(thread, nullptr) != 0) {
  }
  return value;
}

/// Always 100: threads of threads of threads, and detached ones, which nobody joins.
std::int64_t nested_threads() {
  std::atomic<int> count{0};
  std::atomic<int> detached{0};
  on_threads(3, [&](int) {
    on_threads(3, [&](int) {
      on_threads(10, [&](int) { ++count; });
      std::thread([&] { ++detached; }).detach();
    });
  });
  while (detached != 9) sched_yield();
  return count + detached + 1;
}

struct Counted {
  Counted() { ++made; }
  Counted(const Counted &) = delete;
  Counted &operator=(const Counted &) = delete;
  ~Counted() { ++gone; }
  int value = 7;
  static std::atomic<int> made, gone;
};

std::atomic<int> Counted::made{0};
std::atomic<int> Counted::gone{0};

/// Always 500: a thread_local of 500 threads at once, each constructed (once) and destroyed.
std::int64_t many_thread_locals() {
  Counted::made = Counted::gone = 0;
  std::atomic<int> sum{0};
  pthread_barrier_t all;
  pthread_barrier_init(&all, nullptr, 500);
  on_threads(500, [&](int) {
    static thread_local Counted counted;
    sum += counted.value;
    pthread_barrier_wait(&all);
    sum -= counted.value - 1;
  });
  return Counted::made == 500 && Counted::gone == 500 ? sum.load() : 0;
}

/// Always 4: C11's mutex and condition variable, and the results of threads.
std::int64_t c11_threads() {
  struct Shared {
    mtx_t mutex;
    cnd_t changed;
    int count = 0;
  } shared{};
  mtx_init(&shared.mutex, mtx_plain);
  cnd_init(&shared.changed);
  std::array<thrd_t, 3> threads{};
  for (auto &thread : threads)
    thrd_create(
        &thread,
        [](void *argument) -> int {
          auto &all = *static_cast<Shared *>(argument);
          mtx_lock(&all.mutex);
          ++all.count;
          cnd_broadcast(&all.changed);
          while (all.count < 3) cnd_wait(&all.changed, &all.mutex);
          mtx_unlock(&all.mutex);
          thrd_yield();
          thrd_exit(-1);
        },
        &shared);
  int sum = 7;
  for (const auto thread : threads) {
    int result = 0;
    if (thrd_join(thread, &result) == thrd_success) sum += result;
  }
  cnd_destroy(&shared.changed);
  mtx_destroy(&shared.mutex);
  return sum;
}

std::atomic<int> c11_calls{0};

/// Always 255: the rest of C11's threads.
std::int64_t c11_rest() {
  std::int64_t result = 0;
  c11_calls = 0;
  static once_flag flag;
  flag = ONCE_FLAG_INIT;
  on_threads(3, [](int) { call_once(&flag, [] { ++c11_calls; }); });
  if (c11_calls == 1) result |= 1;
  mtx_t mutex;
  mtx_init(&mutex, mtx_timed | mtx_recursive);
  mtx_lock(&mutex);
  if (mtx_trylock(&mutex) == thrd_success && mtx_unlock(&mutex) == thrd_success) result |= 2;
  std::thread other([&] {
    const auto soon = after(1s);
    if (mtx_trylock(&mutex) == thrd_busy) result |= 4;
    if (mtx_timedlock(&mutex, &soon) == thrd_timedout) result |= 8;
  });
  other.join();
  cnd_t condition;
  cnd_init(&condition);
  const auto soon = after(1s);
  if (cnd_timedwait(&condition, &mutex, &soon) == thrd_timedout) result |= 16;
  mtx_unlock(&mutex);
  tss_t key{};
  tss_create(&key, [](void *) { ++c11_calls; });
  std::thread setter([&] { tss_set(key, &result); });
  setter.join();
  if (c11_calls == 2 && tss_get(key) == nullptr) result |= 32;
  tss_delete(key);
  const timespec day{.tv_sec = 86400, .tv_nsec = 0};
  const auto start = after(0s);
  if (thrd_sleep(&day, nullptr) == 0 && after(0s).tv_sec >= start.tv_sec + 86400) result |= 64;
  if (thrd_equal(thrd_current(), thrd_current()) != 0) result |= 128;
  return result;
}

/// Stuck in some schedules: two C11 mutexes in two orders.
std::int64_t c11_lock_order() {
  std::array<mtx_t, 2> mutexes{};
  for (auto &mutex : mutexes) mtx_init(&mutex, mtx_plain);
  on_threads(2, [&](int i) {
    auto &outer = mutexes[i == 0 ? 0 : 1], &inner = mutexes[i == 0 ? 1 : 0];
    mtx_lock(&outer);
    mtx_lock(&inner);
    mtx_unlock(&inner);
    mtx_unlock(&outer);
  });
  return 1;
}

/// Signals of the target are kept apart from those of the process; what would make the system send one is refused.
std::int64_t timed_signal() {
  signal(SIGALRM, [](int) {});
  return alarm(1);
}

constexpr ProbeList<11> probes{{
    {"specific", specific},
    {"thread-exit", thread_exit},
    {"c-cleanup", c_cleanup},
    {"timed-joins", timed_joins},
    {"tryjoin-spin", tryjoin_spin},
    {"nested-threads", nested_threads},
    {"many-thread-locals", many_thread_locals},
    {"c11-threads", c11_threads},
    {"c11-rest", c11_rest},
    {"c11-lock-order", c11_lock_order},
    {"timed-signal", timed_signal},
}};

}  // namespace

std::int64_t thread_probe(std::string_view name) { return run_probe(probes, name); }

}  // namespace threadbare
