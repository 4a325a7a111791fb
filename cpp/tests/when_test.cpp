#include "check.hpp"
#include "limits.hpp"
#include "runtime/runtime.hpp"

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <variant>
#include <vector>

using namespace threadbare::runtime;

namespace {

template <Affinity A>
Task<A, int> gives(int value, int yields) {
  for (int i = 0; i < yields; ++i) co_await yield();
  co_return value;
}

template <Affinity A>
Task<A, int> fails(std::string what) {
  throw std::runtime_error(what);
  co_return 0;
}

template <Affinity A>
Task<A> nothing() {
  co_return;
}

template <Affinity A>
Task<A, int> until_stopped() {
  bool stopped = false;
  while (!stopped) {
    co_await yield();
    stopped = co_await stop_requested();
  }
  co_return -1;
}

using Any = std::variant<Task<Affinity::Main, int>, Task<Affinity::Worker, int>, Task<Affinity::Worker>>;

Task<Affinity::Main, std::vector<int>> all_of_a_vector() {
  std::vector<Task<Affinity::Worker, int>> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(gives<Affinity::Worker>(i, 10 - i));
  co_return co_await when_all(std::move(tasks));
}

Task<Affinity::Main, int> all_of_several() {
  auto results =
      co_await when_all(gives<Affinity::Main>(1, 2), gives<Affinity::Worker>(20, 1), nothing<Affinity::Worker>());
  static_assert(std::is_same_v<decltype(results), std::tuple<int, int, std::monostate>>);
  co_return std::get<0>(results) + std::get<1>(results);
}

Task<Affinity::Main, int> all_of_none() {
  std::vector<Any> none;
  co_await when_all_ready(none);
  const std::vector<int> results = co_await when_all(std::vector<Task<Affinity::Worker, int>>());
  co_return static_cast<int>(results.size());
}

template <Affinity A>
Task<A, int> ready_ones() {
  std::vector<Any> tasks;
  tasks.emplace_back(gives<Affinity::Main>(1, 1));
  tasks.emplace_back(fails<Affinity::Worker>("second"));
  tasks.emplace_back(nothing<Affinity::Worker>());
  tasks.emplace_back(gives<Affinity::Worker>(3, 0));
  co_await when_all_ready(tasks);
  int sum = std::get<0>(tasks[0]).result() + std::get<1>(tasks[3]).result();
  std::get<2>(tasks[2]).result();
  try {
    std::get<1>(tasks[1]).result();
  } catch (const std::runtime_error &) {
    sum += 100;
  }
  co_return sum;
}

Task<Affinity::Main, int> ready_on_both() {
  co_return co_await ready_ones<Affinity::Main>() + co_await ready_ones<Affinity::Worker>();
}

Task<Affinity::Main, std::string> first_failure() {
  std::vector<Task<Affinity::Worker, int>> tasks;
  tasks.push_back(gives<Affinity::Worker>(1, 0));
  tasks.push_back(fails<Affinity::Worker>("first"));
  tasks.push_back(fails<Affinity::Worker>("second"));
  try {
    co_await when_all(std::move(tasks));
  } catch (const std::runtime_error &error) {
    co_return error.what();
  }
  co_return "none";
}

template <Affinity A>
Task<A, bool> any_stops_losers() {
  std::vector<Any> tasks;
  tasks.emplace_back(until_stopped<Affinity::Main>());
  tasks.emplace_back(until_stopped<Affinity::Worker>());
  tasks.emplace_back(gives<Affinity::Worker>(7, 2));
  const std::size_t winner = co_await when_any(tasks);
  const bool stopped_too = co_await stop_requested();
  co_return winner == 2 && std::get<1>(tasks[2]).result() == 7 && std::get<0>(tasks[0]).result() == -1 && !stopped_too;
}

Task<Affinity::Main, bool> any_on_both() {
  const bool on_main = co_await any_stops_losers<Affinity::Main>();
  const bool on_worker = co_await any_stops_losers<Affinity::Worker>();
  co_return on_main && on_worker;
}

Task<Affinity::Main, bool> any_can_fail() {
  std::vector<Any> tasks;
  tasks.emplace_back(until_stopped<Affinity::Main>());
  tasks.emplace_back(fails<Affinity::Worker>("loud"));
  const std::size_t winner = co_await when_any(tasks);
  try {
    std::get<1>(tasks[winner]).result();
  } catch (const std::runtime_error &) {
    co_return winner == 1;
  }
  co_return false;
}

/// Ends only when it is stopped from outside; the innermost tasks see it through two when_any.
Task<Affinity::Worker, int> nested_until_stopped(int depth) {
  if (depth == 0) co_return co_await until_stopped<Affinity::Worker>();
  std::vector<Task<Affinity::Worker, int>> tasks;
  tasks.push_back(nested_until_stopped(depth - 1));
  tasks.push_back(until_stopped<Affinity::Worker>());
  co_await when_any(tasks);
  co_return depth;
}

Task<Affinity::Main, int> stop_reaches_the_innermost(int yields) {
  JoinHandle<int> handle = co_await start(nested_until_stopped(3));
  for (int i = 0; i < yields; ++i) co_await yield();
  handle.request_stop();
  co_return co_await std::move(handle);
}

template <Affinity A>
Task<A> waits(check::Live::Token, Event &event) {
  co_await event.wait();
}

using Waits = std::variant<Task<Affinity::Main>, Task<Affinity::Worker>>;

std::vector<Waits> waits_on_both(const check::Live &live, Event &event) {
  std::vector<Waits> tasks;
  tasks.emplace_back(waits<Affinity::Main>(live.token(), event));
  tasks.emplace_back(waits<Affinity::Worker>(live.token(), event));
  return tasks;
}

Task<Affinity::Worker> waits_for_all(const check::Live &live, Event &event) {
  std::vector<Waits> tasks = waits_on_both(live, event);
  co_await when_all_ready(tasks);
}

Task<Affinity::Main> waits_for_any(const check::Live &live, Event &event) {
  std::vector<Waits> tasks = waits_on_both(live, event);
  co_await when_any(tasks);
}

Task<Affinity::Main> leaves_groups_behind(const check::Live &live, Event &event) {
  (co_await start(waits_for_all(live, event))).detach();
  (co_await start(waits_for_any(live, event))).detach();
  for (int i = 0; i < 10; ++i) co_await yield();
}

}  // namespace

TEST("groups of tasks that are pending at shutdown are destroyed") {
  for (const unsigned threads : thread_counts) {
    for (int round = 0; round < 20; ++round) {
      const check::Live live;
      Event event(EventReset::Manual);
      {
        Scheduler scheduler(threads);
        scheduler.run(leaves_groups_behind(live, event));
      }
      CHECK(live.count() == 0);
    }
  }
}

TEST("when_all gives the results in order") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 20; ++round) {
      CHECK((scheduler.run(all_of_a_vector()) == std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
      CHECK(scheduler.run(all_of_several()) == 21);
    }
  }
}

TEST("when_all of nothing is done at once") {
  Scheduler scheduler(1);
  CHECK(scheduler.run(all_of_none()) == 0);
}

TEST("when_all_ready lets each result be asked for, failed or not") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 20; ++round) CHECK(scheduler.run(ready_on_both()) == 208);
  }
}

TEST("when_all throws what the first in order threw") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 20; ++round) CHECK(scheduler.run(first_failure()) == "first");
  }
}

TEST("when_any gives the winner after the losers were stopped and ended") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 20; ++round) CHECK(scheduler.run(any_on_both()));
  }
}

TEST("a failure can win") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 20; ++round) CHECK(scheduler.run(any_can_fail()));
  }
}

TEST("a stop from outside goes through nested when_any, whenever it comes") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 60; ++round) CHECK(scheduler.run(stop_reaches_the_innermost(round % 6)) == 3);
  }
}
