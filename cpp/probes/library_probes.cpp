// Probes of what C++20 builds upon the primitives, and of waits and exchanges that end without need.
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "probes/probes.hpp"
#include "probes/scenarios/threads.hpp"

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

/// Always 12: C++20's latch, barrier and semaphore.
std::int64_t cpp20() {
  std::latch ready{3};
  std::atomic<int> completions{0};
  std::barrier meeting{3, [&]() noexcept { ++completions; }};
  // Only one thread acquires: in libstdc++ 12 one of several may sleep for ever, beside a semaphore that is free.
  std::counting_semaphore<9> done{0};
  int plain = 0;
  on_threads(3, [&](int number) {
    ready.arrive_and_wait();
    for (int i = 0; i < 3; ++i) {
      meeting.arrive_and_wait();
      done.release();
      for (int taken = 0; number == 0 && taken < 3; ++taken) {
        done.acquire();
        ++plain;
      }
    }
  });
  const bool nobody = !done.try_acquire() && !done.try_acquire_for(1s);
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

constexpr ProbeList<6> probes{{
    {"cpp20", cpp20},
    {"cpp-rest", cpp_rest},
    {"spurious-condition", spurious_condition},
    {"spurious-stood", spurious_stood},
    {"weak-failure", weak_failure},
    {"weak-loop", weak_loop},
}};

}  // namespace

std::int64_t library_probe(std::string_view name) { return run_probe(probes, name); }

}  // namespace threadbare
