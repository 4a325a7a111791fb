#include "check.hpp"
#include "limits.hpp"
#include "runtime/runtime.hpp"

#include <stop_token>
#include <thread>
#include <vector>

using namespace threadbare::runtime;

namespace {

Task<Affinity::Main> notes(int name, std::vector<int> &order) {
  for (int i = 0; i < 3; ++i) {
    order.push_back(name);
    co_await yield();
  }
}

Task<Affinity::Main> takes_turns(std::vector<int> &order) { co_await when_all(notes(1, order), notes(2, order)); }

Task<Affinity::Worker, bool> hops_to_main(std::thread::id main) {
  co_await hop(Affinity::Main);
  const bool on_main = std::this_thread::get_id() == main;
  co_await hop(Affinity::Main);
  co_return on_main && std::this_thread::get_id() == main;
}

Task<Affinity::Main, int> hops_about(std::thread::id main) {
  int right = 0;
  for (int i = 0; i < 100; ++i) {
    const bool child = co_await hops_to_main(main);
    const bool back = std::this_thread::get_id() == main;
    co_await hop(Affinity::Worker);
    const bool child_from_worker = co_await hops_to_main(main);
    co_await hop(Affinity::Main);
    if (child && back && child_from_worker && std::this_thread::get_id() == main) ++right;
  }
  co_return right;
}

Task<Affinity::Worker, bool> inherits(std::stop_token outer) {
  const std::stop_token mine = co_await stop_token();
  co_return mine == outer;
}

Task<Affinity::Worker, bool> passes_its_token_on() {
  const std::stop_token mine = co_await stop_token();
  co_return mine.stop_possible() && co_await inherits(mine);
}

Task<Affinity::Main, bool> asks_for_tokens() {
  const std::stop_token none = co_await stop_token();
  JoinHandle<bool> handle = co_await start(passes_its_token_on());
  co_return co_await std::move(handle) && !none.stop_possible();
}

Task<Affinity::Worker> works_until_stopped() {
  while (true) {
    co_await throw_if_stopped();
    co_await yield();
  }
}

Task<Affinity::Main, bool> stops_by_exception() {
  JoinHandle<void> handle = co_await start(works_until_stopped());
  handle.request_stop();
  try {
    co_await std::move(handle);
  } catch (const Stopped &) {
    co_return true;
  }
  co_return false;
}

}  // namespace

TEST("a task that yields goes to the back of its queue") {
  for (const unsigned threads : thread_counts) {
    std::vector<int> order;
    Scheduler scheduler(threads);
    scheduler.run(takes_turns(order));
    CHECK(order.size() == 6);
    for (std::size_t i = 1; i < order.size(); ++i) CHECK(order[i] != order[i - 1]);
  }
}

TEST("hopping changes where a task runs, not where its caller does") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    CHECK(scheduler.run(hops_about(std::this_thread::get_id())) == 100);
  }
}

TEST("an awaited task inherits the stop token") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    CHECK(scheduler.run(asks_for_tokens()));
  }
}

TEST("a task can end itself when it is stopped") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 20; ++round) CHECK(scheduler.run(stops_by_exception()));
  }
}
