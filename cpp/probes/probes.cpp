#include "probes/probes.hpp"

#include "harness/probe.hpp"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "probes/scenarios/threads.hpp"

namespace threadbare {

namespace {

using namespace std::chrono_literals;

/// Always 4: a mutex excludes.
std::int64_t mutex_counter() {
  std::mutex mutex;
  int counter = 0;
  on_threads(4, [&](int) {
    const std::lock_guard lock(mutex);
    const int seen = counter;
    sched_yield();
    counter = seen + 1;
  });
  return counter;
}

/// 1 to 4: a look apart from the act.
std::int64_t check_then_act() {
  std::atomic<bool> taken{false};
  std::atomic<int> winners{0};
  on_threads(4, [&](int) {
    if (!taken.load()) {
      taken.store(true);
      ++winners;
    }
  });
  return winners;
}

/// Always 6: what goes into a queue comes out.
std::int64_t condition_queue() {
  std::mutex mutex;
  std::condition_variable filled;
  std::vector<int> queue;
  int sum = 0;
  std::thread consumer([&] {
    for (int i = 0; i < 3; ++i) {
      std::unique_lock lock(mutex);
      filled.wait(lock, [&] { return !queue.empty(); });
      sum += queue.back();
      queue.pop_back();
    }
  });
  on_threads(3, [&](int i) {
    const std::lock_guard lock(mutex);
    queue.push_back(i + 1);
    filled.notify_one();
  });
  consumer.join();
  return sum;
}

/// Stuck in some schedules: the look and the wait are apart, so a notification in between is lost.
std::int64_t lost_notify() {
  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<bool> ready{false};
  std::thread producer([&] {
    ready = true;
    changed.notify_one();
  });
  if (!ready) {
    std::unique_lock lock(mutex);
    changed.wait(lock);
  }
  producer.join();
  return 1;
}

/// Stuck in some schedules: two locks in two orders.
std::int64_t lock_order() {
  std::mutex first, second;
  on_threads(2, [&](int i) {
    std::mutex &outer = i == 0 ? first : second;
    std::mutex &inner = i == 0 ? second : first;
    const std::lock_guard a(outer);
    const std::lock_guard b(inner);
  });
  return 1;
}

/// Always 3: atomic::wait, counting_semaphore and their futexes.
std::int64_t atomic_wait() {
  std::atomic<int> stage{0};
  std::counting_semaphore<4> semaphore{0};
  std::thread waiter([&] {
    stage.wait(0);
    semaphore.acquire();
    stage = 3;
    stage.notify_all();
  });
  stage = 1;
  stage.notify_one();
  semaphore.release();
  while (stage != 3) stage.wait(1);
  waiter.join();
  return stage;
}

/// Always 10: exceptions on several threads at once, caught across scheduling points.
std::int64_t exceptions() {
  std::atomic<int> sum{0};
  on_threads(4, [&](int i) {
    try {
      try {
        throw std::runtime_error(std::to_string(i + 1));
      } catch (const std::runtime_error &) {
        sched_yield();
        throw;
      }
    } catch (const std::runtime_error &error) {
      sched_yield();
      sum += std::stoi(error.what());
    }
  });
  return sum;
}

struct Noted {
  explicit Noted(std::atomic<int> *place) : place(place) {}
  ~Noted() { ++*place; }
  std::atomic<int> *place;
};

/// Always 44: four threads see their own thread_local at 10, and four destructors run.
std::int64_t thread_locals() {
  static thread_local int own = 0;
  std::atomic<int> destroyed{0};
  std::atomic<int> sum{0};
  on_threads(4, [&](int) {
    static thread_local std::unique_ptr<Noted> noted;
    noted = std::make_unique<Noted>(&destroyed);
    for (int i = 0; i < 10; ++i) {
      ++own;
      sched_yield();
    }
    sum += own;
  });
  return sum + destroyed;
}

/// Always 12: once is once (1), also after a call that threw, and a flag tells (11).
std::int64_t call_once() {
  std::once_flag flag;
  std::atomic<int> calls{0};
  std::atomic<int> thrown{0};
  on_threads(3, [&](int) {
    try {
      std::call_once(flag, [&] {
        sched_yield();
        if (thrown.fetch_add(1) == 0) throw std::runtime_error("first");
        ++calls;
      });
    } catch (const std::runtime_error &) {
      thrown += 9;
    }
  });
  return calls + thrown;
}

/// Always 1: a time-out comes after its time and sleeps pass virtual time only.
std::int64_t timed() {
  std::mutex mutex;
  std::condition_variable never;
  const auto start = std::chrono::steady_clock::now();
  std::thread sleeper([] { std::this_thread::sleep_for(24h); });
  std::unique_lock lock(mutex);
  const bool timed_out = never.wait_for(lock, 1h) == std::cv_status::timeout;
  lock.unlock();
  sleeper.join();
  return timed_out && std::chrono::steady_clock::now() - start >= 24h;
}

/// Always 7: recursive and timed mutexes, try_lock, and who owns what.
std::int64_t mutex_kinds() {
  std::recursive_mutex recursive;
  std::timed_mutex timed;
  std::int64_t result = 0;
  recursive.lock();
  if (recursive.try_lock()) {
    result |= 1;
    recursive.unlock();
  }
  timed.lock();
  std::thread other([&] {
    if (!recursive.try_lock()) result |= 2;
    if (!timed.try_lock_for(1s)) result |= 4;
  });
  other.join();
  timed.unlock();
  recursive.unlock();
  return result;
}

/// Always 1: shared_ptr counts atomically, jthread and stop_token work, futures deliver.
std::int64_t library() {
  auto shared = std::make_shared<int>(1);
  std::promise<int> promise;
  auto future = promise.get_future();
  std::jthread loop([copy = shared](std::stop_token stop) {
    while (!stop.stop_requested()) std::this_thread::yield();
  });
  on_threads(3, [&](int) { auto copy = shared; });
  std::thread producer([&] { promise.set_value(*shared); });
  const int value = future.get();
  producer.join();
  return value;
}

/// Never ends.
std::int64_t livelock() {
  std::atomic<bool> never{false};
  on_threads(2, [&](int) {
    while (!never) sched_yield();
  });
  return 1;
}

/// Always 1, under a fair schedule: one thread spins with nothing but loads until another one stores.
std::int64_t spin() {
  std::atomic<bool> ready{false};
  std::thread producer([&] { ready = true; });
  while (!ready) {
  }
  producer.join();
  return 1;
}

/// Uses what is not emulated.
std::int64_t refused() {
  pthread_testcancel();
  return pthread_cancel(pthread_self());
}

/// A data race on a plain variable; TSan reports it in every schedule.
std::int64_t data_race() {
  int plain = 0;
  on_threads(2, [&](int i) { plain += i + 1; });
  return plain;
}

/// 500 threads at once.
std::int64_t many_threads() {
  std::atomic<int> count{0};
  on_threads(500, [&](int) { ++count; });
  return count;
}

constexpr ProbeList<17> probes{{
    {"mutex-counter", mutex_counter},   {"check-then-act", check_then_act}, {"condition-queue", condition_queue},
    {"lost-notify", lost_notify},       {"lock-order", lock_order},         {"atomic-wait", atomic_wait},
    {"exceptions", exceptions},         {"thread-locals", thread_locals},   {"call-once", call_once},
    {"timed", timed},                   {"mutex-kinds", mutex_kinds},       {"library", library},
    {"livelock", livelock},             {"spin", spin},                     {"refused", refused},
    {"data-race", data_race},           {"many-threads", many_threads},
}};

}  // namespace

std::int64_t probe(std::string_view name) {
  for (const auto probe : {lock_probe, thread_probe, library_probe, file_probe})
    if (const auto result = probe(name); result != -1) return result;
  return run_probe(probes, name);
}

}  // namespace threadbare

extern "C" std::int64_t threadbare_run_probe(std::string_view name, std::string_view) {
  return threadbare::probe(name);
}
