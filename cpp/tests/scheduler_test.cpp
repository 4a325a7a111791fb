#include "check.hpp"
#include "limits.hpp"
#include "runtime/queue_policies.hpp"
#include "runtime/runtime.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace threadbare::runtime;
using namespace std::chrono_literals;

namespace {

template <class Policy>
using MainOf = Task<Affinity::Main, long, Policy>;
template <class Policy>
using WorkerOf = Task<Affinity::Worker, long, Policy>;

template <class Policy>
WorkerOf<Policy> leaf(long value) {
  co_await yield();
  co_return value;
}

template <class Policy>
WorkerOf<Policy> tree(int depth) {
  if (depth == 0) co_return co_await leaf<Policy>(1);
  std::vector<WorkerOf<Policy>> branches;
  for (int i = 0; i < 3; ++i) branches.push_back(tree<Policy>(depth - 1));
  long sum = 0;
  for (const long value : co_await when_all(std::move(branches))) sum += value;
  co_return sum;
}

template <class Policy>
MainOf<Policy> plant(int depth) {
  co_return co_await tree<Policy>(depth);
}

template <class Policy>
void adds_up() {
  for (const unsigned threads : thread_counts) {
    for (int round = 0; round < 10; ++round) {
      BasicScheduler<Policy> scheduler(threads);
      CHECK(scheduler.run(plant<Policy>(5)) == 243);
    }
  }
}

Task<Affinity::Worker> meets(std::atomic<unsigned> &here, unsigned expected) {
  // Blocks the thread on purpose: this ends only if so many threads run worker tasks at once.
  ++here;
  while (here.load() < expected) std::this_thread::yield();
  co_return;
}

Task<Affinity::Main> meet(unsigned threads, std::atomic<unsigned> &here) {
  std::vector<Task<Affinity::Worker>> all;
  for (unsigned i = 0; i < threads; ++i) all.push_back(meets(here, threads));
  co_await when_all(std::move(all));
}

Task<Affinity::Worker> works_for_ever(check::Live::Token, std::atomic<long> &steps) {
  while (true) {
    ++steps;
    co_await yield();
  }
}

Task<Affinity::Main> waits_for_ever(check::Live::Token, Event &event) { co_await event.wait(); }

Task<Affinity::Worker> sleeps_for_ever(check::Live::Token) { co_await sleep_for(24h); }

Task<Affinity::Worker> locks_for_ever(check::Live::Token, AsyncMutex &mutex, Event &event) {
  const AsyncMutex::Guard guard = co_await mutex.lock();
  co_await event.wait();
}

Task<Affinity::Main> awaits_for_ever(check::Live::Token token, std::atomic<long> &steps) {
  co_await works_for_ever(std::move(token), steps);
}

/// Waits for a task that the same shutdown destroys.
Task<Affinity::Worker> joins_for_ever(check::Live::Token token, Event &event) {
  JoinHandle<void> handle = co_await start(waits_for_ever(std::move(token), event));
  co_await std::move(handle);
}

/// Holds the handle of a task that the same shutdown destroys.
Task<Affinity::Worker> keeps_a_handle(check::Live::Token token, Event &event) {
  const JoinHandle<void> handle = co_await start(waits_for_ever(std::move(token), event));
  co_await event.wait();
}

Task<Affinity::Main> leaves_everything_behind(const check::Live &live, std::atomic<long> &steps, AsyncMutex &mutex,
                                              Event &event, Channel<int> &channel) {
  (co_await start(works_for_ever(live.token(), steps))).detach();
  (co_await start(awaits_for_ever(live.token(), steps))).detach();
  (co_await start(waits_for_ever(live.token(), event))).detach();
  (co_await start(sleeps_for_ever(live.token()))).detach();
  (co_await start(locks_for_ever(live.token(), mutex, event))).detach();
  (co_await start(locks_for_ever(live.token(), mutex, event))).detach();
  (co_await start(joins_for_ever(live.token(), event))).detach();
  (co_await start(keeps_a_handle(live.token(), event))).detach();
  (co_await start([](check::Live::Token, Channel<int> &from) -> Task<Affinity::Worker> {
    bool open = true;
    while (open) {
      const std::optional<int> value = co_await from.receive();
      open = value.has_value();
    }
  }(live.token(), channel))).detach();
  for (int i = 0; i < 20; ++i) co_await yield();
}

Task<Affinity::Main> hops_away() { co_await hop(Affinity::Worker); }

Task<Affinity::Main, int> spins_until(const std::atomic<bool> &flag) {
  int spins = 0;
  while (!flag.load()) {
    ++spins;
    co_await yield();
  }
  co_return spins;
}

Task<Affinity::Worker> sets(std::atomic<bool> &flag) {
  flag = true;
  co_return;
}

Task<Affinity::Main> spins_for_a_worker(std::atomic<bool> &flag) {
  const JoinHandle<void> handle = co_await start(sets(flag));
  co_await spins_until(flag);
}

}  // namespace

TEST("a tree of tasks adds up with the default queue") { adds_up<Correct>(); }

TEST("a tree of tasks adds up with mutex queues") { adds_up<MutexQueues>(); }

#if THREADBARE_HAS_MOODYCAMEL && !defined(UNDER_THREAD_SANITIZER)
TEST("a tree of tasks adds up with moodycamel queues") { adds_up<MoodycamelQueues>(); }
#endif

TEST("all threads run worker tasks at once, the main thread too") {
  for (const unsigned threads : thread_counts) {
    std::atomic<unsigned> here{0};
    Scheduler scheduler(threads);
    scheduler.run(meet(threads, here));
    CHECK(here == threads);
  }
}

TEST("shutdown destroys every pending frame once") {
  for (const unsigned threads : thread_counts) {
    for (int round = 0; round < 20; ++round) {
      const check::Live live;
      std::atomic<long> steps{0};
      AsyncMutex mutex;
      Event event(EventReset::Manual);
      Channel<int> channel(1);
      {
        Scheduler scheduler(threads);
        scheduler.run(leaves_everything_behind(live, steps, mutex, event, channel));
        CHECK(live.count() > 0);
      }
      CHECK(live.count() == 0);
      const long after = steps;
      std::this_thread::sleep_for(1ms);
      CHECK(steps == after);
    }
  }
}

TEST("a scheduler that never ran anything shuts down") {
  for (const unsigned threads : thread_counts) const Scheduler scheduler(threads);
}

TEST("a task that is started before the first run is destroyed if there is none") {
  for (const unsigned threads : thread_counts) {
    const check::Live live;
    Event event(EventReset::Manual);
    {
      Scheduler scheduler(threads);
      scheduler.start(waits_for_ever(live.token(), event)).detach();
    }
    CHECK(live.count() == 0);
  }
}

TEST("a handle may outlive the scheduler") {
  for (const unsigned threads : thread_counts) {
    const check::Live live;
    Event event(EventReset::Manual);
    JoinHandle<void> handle;
    {
      Scheduler scheduler(threads);
      handle = scheduler.start(waits_for_ever(live.token(), event));
    }
    CHECK(live.count() == 0);
    handle.request_stop();
  }
}

TEST("a scheduler can run several tasks, one after the other") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int i = 0; i < 100; ++i) CHECK(scheduler.run(plant<Correct>(2)) == 9);
  }
}

TEST("run returns on the main thread when its task hopped away") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int i = 0; i < 100; ++i) scheduler.run(hops_away());
  }
}

TEST("a main task that yields until a worker task ran does not starve it") {
  for (const unsigned threads : thread_counts) {
    std::atomic<bool> flag{false};
    Scheduler scheduler(threads);
    scheduler.run(spins_for_a_worker(flag));
    CHECK(flag);
  }
}

TEST("no threads are refused") { CHECK_THROWS(std::invalid_argument, Scheduler(0)); }
