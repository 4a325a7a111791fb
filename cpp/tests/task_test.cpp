#include "check.hpp"
#include "limits.hpp"
#include "runtime/runtime.hpp"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

using namespace threadbare::runtime;

namespace {

template <class T = void>
using Main = Task<Affinity::Main, T>;
template <class T = void>
using Worker = Task<Affinity::Worker, T>;

template <Affinity A>
Task<A, std::uint64_t> one() {
  co_return 1;
}

Main<std::uint64_t> count_main(std::uint64_t rounds) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < rounds; ++i) sum += co_await one<Affinity::Main>();
  co_return sum;
}

Main<std::uint64_t> count_across(std::uint64_t rounds) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < rounds; ++i) sum += co_await one<Affinity::Worker>();
  co_return sum;
}

template <Affinity A>
Task<A, std::uint64_t> chain(std::uint64_t depth) {
  if (depth == 0) co_return 0;
  co_return 1 + co_await chain<A>(depth - 1);
}

/// Every await goes to the other affinity.
template <Affinity A>
Task<A, std::uint64_t> zigzag(std::uint64_t depth) {
  constexpr Affinity other = A == Affinity::Main ? Affinity::Worker : Affinity::Main;
  if (depth == 0) co_return 0;
  co_return 1 + co_await zigzag<other>(depth - 1);
}

Main<std::uint64_t> chain_on_worker(std::uint64_t depth) { co_return co_await chain<Affinity::Worker>(depth); }

template <Affinity A>
Task<A, std::unique_ptr<int>> boxed(int value) {
  co_return std::make_unique<int>(value);
}

Main<std::unique_ptr<int>> boxed_through_worker() {
  std::unique_ptr<int> box = co_await boxed<Affinity::Worker>(20);
  const std::unique_ptr<int> other = co_await boxed<Affinity::Main>(1);
  *box += *other;
  co_return box;
}

template <Affinity A>
Task<A> fails(const char *what) {
  throw std::runtime_error(what);
  co_return;
}

template <Affinity A>
Task<A, int> fails_below(int depth) {
  constexpr Affinity other = A == Affinity::Main ? Affinity::Worker : Affinity::Main;
  if (depth == 0) co_await fails<other>("deep");
  else co_return co_await fails_below<other>(depth - 1);
  co_return 0;
}

Main<std::string> catches_from_both() {
  std::string caught;
  try {
    co_await fails<Affinity::Main>("main ");
  } catch (const std::runtime_error &error) {
    caught += error.what();
  }
  try {
    co_await fails<Affinity::Worker>("worker");
  } catch (const std::runtime_error &error) {
    caught += error.what();
  }
  co_return caught;
}

template <Affinity A>
Task<A> holds(check::Live::Token) {
  co_return;
}

Main<> runs_one_of_two(const check::Live &live) {
  co_await holds<Affinity::Worker>(live.token());
  const Worker<> never_awaited = holds<Affinity::Worker>(live.token());
}

template <Affinity A>
Task<A, bool> on_thread(std::thread::id thread) {
  co_return std::this_thread::get_id() == thread;
}

Main<bool> main_stays(std::thread::id main) {
  bool stays = true;
  for (int i = 0; i < 200; ++i) {
    co_await one<Affinity::Worker>();
    stays = stays && std::this_thread::get_id() == main && co_await on_thread<Affinity::Main>(main);
  }
  co_return stays;
}

/// A coroutine that is suspended for ever.
struct Stop {
  static bool await_ready() noexcept { return false; }
  static void await_suspend(std::coroutine_handle<>) noexcept {}
  static void await_resume() noexcept {}
};

Worker<> pending_chain(std::uint64_t depth, check::Live::Token token) {
  if (depth == 0) {
    co_await Stop{};
  } else {
    co_await pending_chain(depth - 1, token);
  }
}

Main<> starts_and_leaves(std::uint64_t depth, const check::Live &live) {
  (co_await start(pending_chain(depth, live.token()))).detach();
  for (int i = 0; i < 10; ++i) co_await yield();
}

}  // namespace

TEST("a million awaits in a loop do not grow the stack") {
  Scheduler scheduler(1);
  CHECK(scheduler.run(count_main(long_chain)) == long_chain);
}

TEST("a chain of a million awaits of one affinity does not overflow the stack") {
  for (const unsigned threads : {1U, 2U}) {
    Scheduler scheduler(threads);
    CHECK(scheduler.run(chain<Affinity::Main>(long_chain)) == long_chain);
    CHECK(scheduler.run(chain_on_worker(long_chain)) == long_chain);
  }
}

TEST("awaits across affinities do not grow the stack") {
  for (const unsigned threads : thread_counts) {
    const std::uint64_t rounds = threads == 1 ? long_chain : 20'000;
    Scheduler scheduler(threads);
    CHECK(scheduler.run(count_across(rounds)) == rounds);
    CHECK(scheduler.run(zigzag<Affinity::Main>(threads == 1 ? long_chain : 10'000)) > 0);
  }
}

TEST("a pending chain of a million awaits is destroyed without overflowing the stack") {
  for (const unsigned threads : {1U, 2U}) {
    const check::Live live;
    {
      Scheduler scheduler(threads);
      scheduler.run(starts_and_leaves(long_chain, live));
    }
    CHECK(live.count() == 0);
  }
}

TEST("move-only results come through every kind of await") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    const std::unique_ptr<int> box = scheduler.run(boxed_through_worker());
    CHECK(*box == 21);
  }
}

TEST("exceptions cross awaits of both affinities, however deep") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    CHECK(scheduler.run(catches_from_both()) == "main worker");
    for (int depth = 0; depth < 5; ++depth) CHECK_THROWS(std::runtime_error, scheduler.run(fails_below<Affinity::Main>(depth)));
  }
}

TEST("a frame is destroyed with its task, whether it ran or not") {
  for (const unsigned threads : thread_counts) {
    const check::Live live;
    Scheduler scheduler(threads);
    scheduler.run(runs_one_of_two(live));
    CHECK(live.count() == 0);
  }
}

TEST("main code only runs on the main thread") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    CHECK(scheduler.run(main_stays(std::this_thread::get_id())));
  }
}

TEST("a moved-from task is empty, and assigning to a task destroys its frame") {
  const check::Live live;
  Worker<> first = holds<Affinity::Worker>(live.token());
  Worker<> second = std::move(first);
  CHECK(!first);
  CHECK(second);
  CHECK(live.count() == 1);
  second = holds<Affinity::Worker>(live.token());
  CHECK(live.count() == 1);
  second = Worker<>();
  CHECK(live.count() == 0);
}
