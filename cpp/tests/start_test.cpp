#include "check.hpp"
#include "limits.hpp"
#include "runtime/runtime.hpp"

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

using namespace threadbare::runtime;

namespace {

template <Affinity A>
Task<A, int> gives(int value, int yields) {
  for (int i = 0; i < yields; ++i) co_await yield();
  co_return value;
}

template <Affinity A>
Task<A, std::unique_ptr<int>> boxes(int value) {
  co_return std::make_unique<int>(value);
}

template <Affinity A>
Task<A> throws() {
  throw std::runtime_error("started");
  co_return;
}

template <Affinity Joiner, Affinity Child>
Task<Joiner, int> joins(int child_yields, int own_yields) {
  JoinHandle<int> handle = co_await start(gives<Child>(7, child_yields));
  for (int i = 0; i < own_yields; ++i) co_await yield();
  co_return co_await std::move(handle);
}

Task<Affinity::Main, int> joins_all_ways() {
  int sum = 0;
  for (int child_yields = 0; child_yields < 3; ++child_yields) {
    for (int own_yields = 0; own_yields < 3; ++own_yields) {
      sum += co_await joins<Affinity::Main, Affinity::Main>(child_yields, own_yields);
      sum += co_await joins<Affinity::Main, Affinity::Worker>(child_yields, own_yields);
      sum += co_await joins<Affinity::Worker, Affinity::Main>(child_yields, own_yields);
      sum += co_await joins<Affinity::Worker, Affinity::Worker>(child_yields, own_yields);
    }
  }
  co_return sum;
}

Task<Affinity::Main, int> joins_other_kinds() {
  JoinHandle<std::unique_ptr<int>> box = co_await start(boxes<Affinity::Worker>(5));
  JoinHandle<void> failing = co_await start(throws<Affinity::Worker>());
  const std::unique_ptr<int> value = co_await std::move(box);
  int result = *value;
  try {
    co_await std::move(failing);
  } catch (const std::runtime_error &) {
    result += 100;
  }
  co_return result;
}

Task<Affinity::Worker> counts(check::Live::Token, std::atomic<int> &count, int yields) {
  for (int i = 0; i < yields; ++i) co_await yield();
  ++count;
}

/// Gives handles up before, while and after their tasks end.
Task<Affinity::Main> gives_up(const check::Live &live, std::atomic<int> &count) {
  for (int i = 0; i < 60; ++i) {
    JoinHandle<void> handle = co_await start(counts(live.token(), count, i % 3));
    for (int j = 0; j < i % 4; ++j) co_await yield();
    if (i % 2 == 0) handle.detach();
  }
  while (count < 60) co_await yield();
}

Task<Affinity::Worker, bool> until_stopped() {
  bool stopped = false;
  while (!stopped) {
    co_await yield();
    stopped = co_await stop_requested();
  }
  co_return true;
}

Task<Affinity::Main, bool> stops_a_child() {
  JoinHandle<bool> handle = co_await start(until_stopped());
  handle.request_stop();
  // Its stop source is its own.
  const bool stopped_too = co_await stop_requested();
  co_return co_await std::move(handle) && !stopped_too;
}

}  // namespace

TEST("joining gives the result, whichever side is first") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 20; ++round) CHECK(scheduler.run(joins_all_ways()) == 7 * 36);
  }
}

TEST("move-only results and exceptions come through a join") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 20; ++round) CHECK(scheduler.run(joins_other_kinds()) == 105);
  }
}

TEST("a task whose handle is given up goes on, and its frame goes with its end") {
  for (const unsigned threads : thread_counts) {
    for (int round = 0; round < 10; ++round) {
      const check::Live live;
      std::atomic<int> count{0};
      {
        Scheduler scheduler(threads);
        scheduler.run(gives_up(live, count));
      }
      CHECK(count == 60);
      CHECK(live.count() == 0);
    }
  }
}

TEST("a handle stops its own task and no other") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 20; ++round) CHECK(scheduler.run(stops_a_child()));
  }
}
