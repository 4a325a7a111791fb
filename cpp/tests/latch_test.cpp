#include "check.hpp"
#include "limits.hpp"
#include "runtime/runtime.hpp"

#include <atomic>
#include <utility>
#include <vector>

using namespace threadbare::runtime;

namespace {

template <Affinity A>
Task<A> arrives(Latch &latch, std::atomic<int> &arrived) {
  co_await yield();
  ++arrived;
  latch.arrive();
}

template <Affinity A>
Task<A, int> waits(Latch &latch, const std::atomic<int> &arrived) {
  co_await latch.wait();
  co_return arrived;
}

Task<Affinity::Main, bool> opens_after_all_arrived() {
  constexpr int count = 6;
  Latch latch(count);
  std::atomic<int> arrived{0};
  std::vector<JoinHandle<int>> waiters;
  for (int i = 0; i < 2; ++i) {
    waiters.push_back(co_await start(waits<Affinity::Main>(latch, arrived)));
    waiters.push_back(co_await start(waits<Affinity::Worker>(latch, arrived)));
  }
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < count / 2; ++i) {
    handles.push_back(co_await start(arrives<Affinity::Worker>(latch, arrived)));
    handles.push_back(co_await start(arrives<Affinity::Main>(latch, arrived)));
  }
  bool right = true;
  for (JoinHandle<int> &waiter : waiters) {
    const int seen = co_await std::move(waiter);
    right = right && seen == count;
  }
  for (JoinHandle<void> &handle : handles) co_await std::move(handle);
  latch.arrive();
  co_await latch.wait();
  co_return right;
}

}  // namespace

TEST("a latch opens after the last arrival, and stays open") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 50; ++round) CHECK(scheduler.run(opens_after_all_arrived()));
  }
}

TEST("a latch of 0 is open from the start") {
  Scheduler scheduler(1);
  scheduler.run([]() -> Task<Affinity::Main> {
    Latch latch(0);
    co_await latch.wait();
  }());
}
