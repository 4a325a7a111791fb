// Probes of the primitives beside those in probes.cpp: locks, semaphores, barriers, C11 threads, the ends of threads,
// and what C++20 builds upon them.
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <semaphore.h>
#include <signal.h>
#include <fcntl.h>
#include <threads.h>
#include <time.h>

#include <array>
#include <atomic>
#include <barrier>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness/probes.hpp"

#if defined(__SANITIZE_THREAD__)
#define THREADBARE_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREADBARE_THREAD_SANITIZER
#endif
#endif

namespace threadbare {

namespace {

using namespace std::chrono_literals;

/// Runs `body(i)` on `count` threads and joins them.
template <class Body>
void on_threads(int count, Body body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&body, i] { body(i); });
  for (auto &thread : threads) thread.join();
}

/// A point of time so far from now.
timespec after(std::chrono::seconds time, clockid_t clock = CLOCK_REALTIME) {
  timespec now{};
  clock_gettime(clock, &now);
  now.tv_sec += time.count();
  return now;
}

/// Always 7: writers exclude (1), readers never see half of what they write (2), and read together in time (4).
std::int64_t rwlock() {
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  int first = 0, second = 0;
  std::atomic<bool> torn{false};
  on_threads(4, [&](int i) {
    if (i < 2) {
      pthread_rwlock_wrlock(&lock);
      first += 1;
      sched_yield();
      second += 1;
    } else {
      pthread_rwlock_rdlock(&lock);
      if (first != second) torn = true;
    }
    pthread_rwlock_unlock(&lock);
  });
  pthread_rwlock_rdlock(&lock);
  const bool together = pthread_rwlock_tryrdlock(&lock) == 0 && pthread_rwlock_trywrlock(&lock) == EBUSY;
  pthread_rwlock_unlock(&lock);
  pthread_rwlock_unlock(&lock);
  pthread_rwlock_destroy(&lock);
  return (first == 2 && second == 2 ? 1 : 0) | (torn ? 0 : 2) | (together ? 4 : 0);
}

/// Always 127: what the calls say where a lock cannot be had.
std::int64_t rwlock_errors() {
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  std::int64_t result = 0;
  pthread_rwlock_wrlock(&lock);
  if (pthread_rwlock_wrlock(&lock) == EDEADLK) result |= 1;
  if (pthread_rwlock_rdlock(&lock) == EDEADLK) result |= 2;
  std::thread other([&] {
    const auto soon = after(1s);
    if (pthread_rwlock_tryrdlock(&lock) == EBUSY) result |= 4;
    if (pthread_rwlock_timedrdlock(&lock, &soon) == ETIMEDOUT) result |= 8;
    if (pthread_rwlock_timedwrlock(&lock, &soon) == ETIMEDOUT) result |= 16;
    const auto later = after(1s, CLOCK_MONOTONIC);
    if (pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &later) == ETIMEDOUT) result |= 32;
  });
  other.join();
  pthread_rwlock_unlock(&lock);
  if (pthread_rwlock_unlock(&lock) == EPERM) result |= 64;
  return result;
}

/// 1, 2 or 3: which of two readers sees what a writer that waits with them wrote.
std::int64_t rwlock_order() {
  std::shared_mutex lock;
  int value = 0;
  std::atomic<int> seen{1};
  lock.lock();
  std::thread writer([&] {
    const std::lock_guard guard(lock);
    value = 1;
  });
  std::thread readers([&] {
    on_threads(2, [&](int) {
      const std::shared_lock guard(lock);
      seen += value;
    });
  });
  lock.unlock();
  writer.join();
  readers.join();
  return seen;
}

/// Always stuck: who reads cannot write as well.
std::int64_t rwlock_upgrade() {
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  on_threads(2, [&](int) {
    pthread_rwlock_rdlock(&lock);
    pthread_rwlock_wrlock(&lock);
    pthread_rwlock_unlock(&lock);
  });
  return 1;
}

/// A data race in every schedule: read locks do not exclude each other.
std::int64_t rwlock_race() {
  std::shared_mutex lock;
  int plain = 0;
  on_threads(2, [&](int i) {
    const std::shared_lock guard(lock);
    plain += i + 1;
  });
  return plain;
}

/// Always 5: a spin lock excludes, and who finds it held is told so.
std::int64_t spin_lock() {
  pthread_spinlock_t lock;
  pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
  int counter = 0;
  on_threads(4, [&](int) {
    pthread_spin_lock(&lock);
    const int seen = counter;
    sched_yield();
    counter = seen + 1;
    pthread_spin_unlock(&lock);
  });
  pthread_spin_lock(&lock);
  if (pthread_spin_trylock(&lock) == EBUSY) ++counter;
  pthread_spin_unlock(&lock);
  pthread_spin_destroy(&lock);
  return counter;
}

/// Always stuck: nobody unlocks it.
std::int64_t spin_forever() {
  pthread_spinlock_t lock;
  pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
  pthread_spin_lock(&lock);
  return pthread_spin_lock(&lock);
}

/// Always 5: in each of five rounds one thread of three is told so, and nobody is a round ahead.
std::int64_t barrier_rounds() {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 3);
  std::array<int, 3> rounds{};
  std::atomic<int> serial{0};
  on_threads(3, [&](int i) {
    for (int round = 0; round < 5; ++round) {
      rounds[static_cast<std::size_t>(i)] = round;
      if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) ++serial;
      for (const int other : rounds)
        if (other != round) serial += 100;
      pthread_barrier_wait(&barrier);
    }
  });
  pthread_barrier_destroy(&barrier);
  return serial;
}

/// Always stuck: there are too few.
std::int64_t barrier_short() {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 3);
  on_threads(2, [&](int) { pthread_barrier_wait(&barrier); });
  return 1;
}

/// Always 30: a bounded buffer hands everything over, in spite of two producers and two consumers.
std::int64_t semaphores() {
  sem_t free_places, filled;
  sem_init(&free_places, 0, 2);
  sem_init(&filled, 0, 0);
  std::mutex mutex;
  std::vector<int> buffer;
  std::atomic<int> sum{0};
  on_threads(4, [&](int i) {
    for (int k = 0; k < 3; ++k) {
      sem_wait(i < 2 ? &free_places : &filled);
      {
        const std::lock_guard guard(mutex);
        if (i < 2) {
          buffer.push_back(5);
        } else {
          sum += buffer.back();
          buffer.pop_back();
        }
      }
      sem_post(i < 2 ? &filled : &free_places);
    }
  });
  sem_destroy(&free_places);
  sem_destroy(&filled);
  return sum;
}

/// Always 63: what the calls say.
std::int64_t semaphore_errors() {
  std::int64_t result = 0;
  sem_t semaphore;
  sem_init(&semaphore, 0, 1);
  int value = 0;
  if (sem_getvalue(&semaphore, &value) == 0 && value == 1) result |= 1;
  if (sem_trywait(&semaphore) == 0) result |= 2;
  if (sem_trywait(&semaphore) == -1 && errno == EAGAIN) result |= 4;
  auto soon = after(1s);
  if (sem_timedwait(&semaphore, &soon) == -1 && errno == ETIMEDOUT) result |= 8;
  soon = after(1s, CLOCK_MONOTONIC);
  if (sem_clockwait(&semaphore, CLOCK_MONOTONIC, &soon) == -1 && errno == ETIMEDOUT) result |= 16;
  sem_t full;
  sem_init(&full, 0, SEM_VALUE_MAX);
  if (sem_post(&full) == -1 && errno == EOVERFLOW) result |= 32;
  return result;
}

/// Always 63: named semaphores are found by name until they are unlinked, and gone in the next execution.
std::int64_t named_semaphores() {
  std::int64_t result = 0;
  if (sem_open("/probe", 0) == SEM_FAILED && errno == ENOENT) result |= 1;
  sem_t *const first = sem_open("/probe", O_CREAT, 0600, 0);
  if (sem_open("/probe", O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED && errno == EEXIST) result |= 2;
  if (sem_open("/pro/be", O_CREAT, 0600, 0) == SEM_FAILED && errno == EINVAL) result |= 4;
  std::thread other([] {
    sem_t *const same = sem_open("/probe", O_CREAT, 0600, 5);
    sem_post(same);
    sem_close(same);
  });
  if (sem_wait(first) == 0) result |= 8;
  other.join();
  if (sem_unlink("/probe") == 0 && sem_unlink("/probe") == -1) result |= 16;
  if (sem_close(first) == 0 && sem_close(first) == -1 && errno == EINVAL) result |= 32;
  return result;
}

/// Always stuck: what is taken is not given back.
std::int64_t semaphore_forever() {
  sem_t semaphore;
  sem_init(&semaphore, 0, 1);
  on_threads(2, [&](int) { sem_wait(&semaphore); });
  return 1;
}

/// Always 1: a condition variable goes by the clock that its attributes name.
std::int64_t condition_clock() {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_t condition;
  pthread_cond_init(&condition, &attributes);
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  const auto until = after(3600s, CLOCK_MONOTONIC);
  pthread_mutex_lock(&mutex);
  const int result = pthread_cond_timedwait(&condition, &mutex, &until);
  pthread_mutex_unlock(&mutex);
  pthread_cond_destroy(&condition);
  pthread_condattr_destroy(&attributes);
  const auto now = after(0s, CLOCK_MONOTONIC);
  return result == ETIMEDOUT && now.tv_sec >= until.tv_sec && now.tv_sec < until.tv_sec + 60;
}

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

/// Always 12: C++20's latch, barrier and semaphore.
std::int64_t cpp20() {
  std::latch ready{3};
  std::atomic<int> completions{0};
  std::barrier meeting{3, [&]() noexcept { ++completions; }};
  std::binary_semaphore one{1};
  int plain = 0;
  on_threads(3, [&](int) {
    ready.arrive_and_wait();
    for (int i = 0; i < 3; ++i) {
      meeting.arrive_and_wait();
      one.acquire();
      ++plain;
      one.release();
    }
  });
  const bool nobody = one.try_acquire() && !one.try_acquire_for(1s);
  return plain + completions + (nobody ? 0 : 100);
}

/// Always 31: shared mutexes with time, futures, stop tokens, and what runs at the end of a thread.
std::int64_t cpp_rest() {
  std::int64_t result = 0;
  std::shared_timed_mutex shared;
  shared.lock_shared();
  std::thread other([&] {
    if (!shared.try_lock_for(1s) && shared.try_lock_shared_for(1s)) {
      shared.unlock_shared();
      result |= 1;
    }
  });
  other.join();
  shared.unlock_shared();
  auto later = std::async(std::launch::async, [] { return 2; });
  if (later.wait_for(24h) == std::future_status::ready || later.get() == 2) result |= 2;
  std::condition_variable_any stopped;
  std::mutex mutex;
  std::jthread waiter([&](const std::stop_token &stop) {
    std::unique_lock lock(mutex);
    if (!stopped.wait(lock, stop, [] { return false; })) result |= 4;
  });
  waiter.request_stop();
  waiter.join();
  bool done = false;
  std::condition_variable ended;
  std::thread last([&] {
    std::unique_lock lock(mutex);
    done = true;
    std::notify_all_at_thread_exit(ended, std::move(lock));
  });
  {
    std::unique_lock lock(mutex);
    ended.wait(lock, [&] { return done; });
    result |= 8;
  }
  last.join();
  std::promise<int> promise;
  auto future = promise.get_future();
  std::thread giver([&] {
#ifdef THREADBARE_THREAD_SANITIZER
    // At the end of the thread it is libstdc++ that stores, which ThreadSanitizer does not see, with control or without.
    promise.set_value(1);
#else
    promise.set_value_at_thread_exit(1);
#endif
  });
  if (future.get() == 1) result |= 16;
  giver.join();
  return result;
}

/// 1, or 2 where a wait for a condition ended unnotified and nobody looked why.
std::int64_t spurious_condition() {
  std::mutex mutex;
  std::condition_variable changed;
  bool ready = false;
  std::int64_t result = 1;
  std::thread waiter([&] {
    std::unique_lock lock(mutex);
    if (!ready) changed.wait(lock);
    if (!ready) result = 2;
  });
  {
    const std::lock_guard lock(mutex);
    ready = true;
    changed.notify_one();
  }
  waiter.join();
  return result;
}

/// Always 6: who waits in a loop, and std::atomic::wait, stand spurious wake-ups.
std::int64_t spurious_stood() {
  std::atomic<int> stage{0};
  std::mutex mutex;
  std::condition_variable changed;
  std::counting_semaphore<4> semaphore{0};
  std::thread waiter([&] {
    stage.wait(0);
    semaphore.acquire();
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return stage == 5; });
    ++stage;
  });
  stage = 1;
  stage.notify_one();
  semaphore.release();
  {
    const std::lock_guard lock(mutex);
    stage = 5;
    changed.notify_one();
  }
  waiter.join();
  return stage;
}

/// 2, or 1 and 0 where a weak compare-exchange failed and nobody tried again.
std::int64_t weak_failure() {
  std::atomic<int> number{0};
  int successes = 0;
  for (int i = 0; i < 2; ++i) {
    int expected = i;
    if (number.compare_exchange_weak(expected, i + 1)) {
      ++successes;
    } else {
      number = i + 1;
      if (expected != i) return -1;
    }
  }
  return successes;
}

/// Always 40: a loop around a weak compare-exchange stands it, and a strong one never fails so.
std::int64_t weak_loop() {
  std::atomic<long> number{0};
  std::atomic<long> strong{0};
  on_threads(4, [&](int) {
    for (int i = 0; i < 5; ++i) {
      long seen = number.load();
      while (!number.compare_exchange_weak(seen, seen + 1)) {
      }
      seen = strong.load();
      while (true) {
        const long before = seen;
        if (strong.compare_exchange_strong(seen, seen + 1)) break;
        if (seen == before) return;
      }
    }
  });
  return number + strong;
}

/// A look at the mask of signals is harmless, and so is a change that changes nothing; a change is refused.
std::int64_t signal_mask() {
  sigset_t set;
  pthread_sigmask(SIG_BLOCK, nullptr, &set);
  pthread_sigmask(SIG_SETMASK, &set, nullptr);
  sigaddset(&set, SIGUSR1);
  return pthread_sigmask(SIG_SETMASK, &set, nullptr);
}

std::int64_t robust_mutex() {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &attributes);
  return pthread_mutex_lock(&mutex);
}

constexpr std::array<std::pair<std::string_view, std::int64_t (*)()>, 31> probes{{
    {"rwlock", rwlock},
    {"rwlock-errors", rwlock_errors},
    {"rwlock-order", rwlock_order},
    {"rwlock-upgrade", rwlock_upgrade},
    {"rwlock-race", rwlock_race},
    {"spin-lock", spin_lock},
    {"spin-forever", spin_forever},
    {"barrier-rounds", barrier_rounds},
    {"barrier-short", barrier_short},
    {"semaphores", semaphores},
    {"semaphore-errors", semaphore_errors},
    {"named-semaphores", named_semaphores},
    {"semaphore-forever", semaphore_forever},
    {"condition-clock", condition_clock},
    {"specific", specific},
    {"thread-exit", thread_exit},
    {"c-cleanup", c_cleanup},
    {"timed-joins", timed_joins},
    {"nested-threads", nested_threads},
    {"many-thread-locals", many_thread_locals},
    {"c11-threads", c11_threads},
    {"c11-rest", c11_rest},
    {"c11-lock-order", c11_lock_order},
    {"cpp20", cpp20},
    {"cpp-rest", cpp_rest},
    {"spurious-condition", spurious_condition},
    {"spurious-stood", spurious_stood},
    {"weak-failure", weak_failure},
    {"weak-loop", weak_loop},
    {"signal-mask", signal_mask},
    {"robust-mutex", robust_mutex},
}};

}  // namespace

std::int64_t primitive_probe(std::string_view name) {
  for (const auto &[known, run] : probes)
    if (known == name) return run();
  return -1;
}

}  // namespace threadbare
