#include "check.hpp"
#include "limits.hpp"
#include "runtime/runtime.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <vector>

using namespace threadbare::runtime;
using namespace std::chrono_literals;

namespace {

template <Affinity A>
Task<A> sleeps(Clock::duration duration, int name, std::vector<int> &order, std::mutex &mutex) {
  const Clock::time_point before = Clock::now();
  co_await sleep_for(duration);
  CHECK(Clock::now() - before >= duration);
  const std::lock_guard lock(mutex);
  order.push_back(name);
}

Task<Affinity::Main> sleep_together(std::vector<int> &order) {
  std::mutex mutex;
  co_await when_all(sleeps<Affinity::Main>(60ms, 3, order, mutex), sleeps<Affinity::Worker>(1ms, 1, order, mutex),
                    sleeps<Affinity::Worker>(30ms, 2, order, mutex), sleeps<Affinity::Main>(0ms, 0, order, mutex));
}

/// The main thread sleeps towards a far deadline when a worker adds a near one.
Task<Affinity::Main> near_after_far() {
  std::vector<int> order;
  std::mutex mutex;
  JoinHandle<void> far = co_await start(sleeps<Affinity::Main>(24h, 1, order, mutex));
  far.detach();
  for (int i = 0; i < 20; ++i) {
    co_await hop(Affinity::Worker);
    co_await sleep_for(200us);
    co_await hop(Affinity::Main);
    co_await sleep_for(200us);
  }
}

Task<Affinity::Main> never_wakes() { co_await sleep_for(std::chrono::hours(24 * 365 * 280)); }

Task<Affinity::Main> starts_one_that_never_wakes() {
  (co_await start(never_wakes())).detach();
  co_await sleep_for(1ms);
}

Task<Affinity::Main, int> yields_beside(const bool &woken) {
  int yields = 0;
  while (!woken) {
    co_await yield();
    ++yields;
  }
  co_return yields;
}

Task<Affinity::Main> wakes(bool &woken) {
  co_await sleep_for(1ms);
  woken = true;
}

Task<Affinity::Main> a_busy_main_thread() {
  bool woken = false;
  co_await when_all(yields_beside(woken), wakes(woken));
}

}  // namespace

TEST("sleepers wake in the order of their deadlines, never early") {
  for (const unsigned threads : thread_counts) {
    std::vector<int> order;
    Scheduler scheduler(threads);
    scheduler.run(sleep_together(order));
    CHECK((order == std::vector{0, 1, 2, 3}));
  }
}

TEST("a near deadline is met although the main thread already sleeps towards a far one") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    scheduler.run(near_after_far());
  }
}

TEST("a sleep beyond the end of time does not wake early") {
  Scheduler scheduler(2);
  scheduler.run(starts_one_that_never_wakes());
}

TEST("timers expire although main tasks are always ready") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    scheduler.run(a_busy_main_thread());
  }
}

TEST("timers expire by deadline, then in the order in which they were added, and can be removed") {
  std::array<Timer, 200> timers;
  Timers heap;
  const Clock::time_point start;
  for (std::size_t i = 0; i < timers.size(); ++i) {
    timers[i].deadline = start + std::chrono::seconds(i * 37 % 50);
    heap.add(timers[i]);
  }
  for (std::size_t i = 0; i < timers.size(); i += 3) heap.remove(timers[i]);
  CHECK(heap.first_deadline() == start);
  CHECK(heap.expire(start - 1s) == nullptr);
  std::size_t expired = 0;
  for (int second = 0; second < 50; second += 7) {
    const Timer *last = nullptr;
    for (const Timer *timer = heap.expire(start + std::chrono::seconds(second)); timer; timer = timer->next) {
      const std::size_t index = static_cast<std::size_t>(timer - timers.data());
      CHECK(index % 3 != 0);
      CHECK(timer->place == Timer::nowhere);
      CHECK(timer->deadline <= start + std::chrono::seconds(second));
      CHECK(!last || last->deadline < timer->deadline || (last->deadline == timer->deadline && last < timer));
      last = timer;
      ++expired;
    }
  }
  CHECK(heap.empty());
  CHECK(expired == timers.size() - (timers.size() + 2) / 3);
}
