#include "bugs/context_captured_main.hpp"
#include "bugs/context_pool_reuse.hpp"
#include "bugs/context_thread_id_key.hpp"
#include "bugs/context_unlocked_check.hpp"
#include "check.hpp"
#include "runtime/systems.hpp"

#include <barrier>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

using namespace threadbare;
using runtime::Branch;
using runtime::ContextCache;
using runtime::Engine;
using runtime::MainThread;

namespace {

/// Runs `body(0)` to `body(count - 1)` on threads of their own.
template <class Body>
void run_on_threads(std::ptrdiff_t count, const Body &body) {
  std::vector<std::thread> threads;
  for (std::ptrdiff_t i = 0; i < count; ++i) threads.emplace_back([&body, i] { body(i); });
  for (std::thread &thread : threads) thread.join();
}

/// `count` branches at once, each on a thread of its own: each must find a fresh context, and keep what it put.
void run_branches(Engine &engine, const ContextCache &cache, std::ptrdiff_t count, std::size_t others) {
  std::barrier<> together(count);
  run_on_threads(count, [&](std::ptrdiff_t i) {
    Branch branch(engine);
    CHECK(branch.context().get() == 0);
    branch.context().put(i + 1);
    together.arrive_and_wait();
    CHECK(cache.live() == static_cast<std::size_t>(count) + others);
    CHECK(branch.context().get() == i + 1);
    together.arrive_and_wait();
  });
}

/// What the second of two branches on one thread, neither of them the main one, finds.
template <class E>
std::int64_t left_by_the_branch_before(ContextCache &cache) {
  E engine(cache);
  std::int64_t found = 0;
  std::thread([&] {
    {
      Branch first(engine);
      first.context().put(5);
    }
    Branch second(engine);
    found = second.context().get();
  }).join();
  return found;
}

/// What a branch finds on a thread that made its engine and is not the main thread, which has put 7.
template <class E>
std::int64_t found_where_the_engine_was_made(ContextCache &cache) {
  E engine(cache);
  Branch branch(engine);
  branch.context().put(7);
  std::int64_t found = 0;
  std::thread([&] {
    E own(cache);
    Branch there(own);
    found = there.context().get();
  }).join();
  return found;
}

}  // namespace

TEST("5 branches at once, 50 times over, share nothing and leave nothing") {
  const MainThread main;
  ContextCache cache;
  Engine engine(cache);
  for (int round = 0; round < 50; ++round) {
    run_branches(engine, cache, 5, 0);
    CHECK(cache.live() == 0);
  }
}

TEST("4 workers make engines and run 3 branches each, 20 times over") {
  const MainThread main;
  ContextCache cache;
  Engine engine(cache);
  Branch branch(engine);
  branch.context().put(-1);
  for (int round = 0; round < 20; ++round) {
    std::barrier<> together(4 * 3);
    run_on_threads(4, [&](std::ptrdiff_t worker) {
      Engine own(cache);
      run_on_threads(3, [&](std::ptrdiff_t i) {
        Branch there(own);
        CHECK(there.context().get() == 0);
        there.context().put(3 * worker + i);
        together.arrive_and_wait();
        CHECK(cache.live() == 4 * 3 + 1);
        CHECK(there.context().get() == 3 * worker + i);
        together.arrive_and_wait();
      });
    });
    CHECK(cache.live() == 1);
    CHECK(branch.context().get() == -1);
  }
}

TEST("24 threads at once have 24 contexts, besides the main thread's") {
  const MainThread main;
  ContextCache cache;
  Engine engine(cache);
  Branch branch(engine);
  run_branches(engine, cache, 24, 1);
  CHECK(cache.live() == 1);
}

TEST("on the main thread all branches of all engines have one context, which is kept between them") {
  const MainThread main;
  ContextCache cache;
  Engine one(cache);
  Engine other(cache);
  CHECK(cache.live() == 0);
  {
    Branch outer(one);
    outer.context().put(5);
    Branch inner(other);
    CHECK(&inner.context() == &outer.context());
    CHECK(cache.live() == 1);
  }
  CHECK(cache.live() == 1);
  CHECK(Branch(other).context().get() == 5);
}

TEST("on the main thread an engine made elsewhere has the cached context too") {
  const MainThread main;
  ContextCache cache;
  Engine here(cache);
  Branch(here).context().put(5);
  std::optional<Engine> made_elsewhere;
  std::thread([&] { made_elsewhere.emplace(cache); }).join();
  CHECK(Branch(*made_elsewhere).context().get() == 5);
}

TEST("branches that nest on another thread have a context each, which ends with its branch") {
  const MainThread main;
  ContextCache cache;
  Engine engine(cache);
  std::thread([&] {
    Branch outer(engine);
    outer.context().put(1);
    for (int round = 0; round < 3; ++round) {
      Engine made_inside(cache);
      Branch inner(made_inside);
      CHECK(inner.context().get() == 0);
      inner.context().put(2);
      CHECK(cache.live() == 2);
    }
    CHECK(outer.context().get() == 1);
    CHECK(cache.live() == 1);
  }).join();
  CHECK(cache.live() == 0);
}

TEST("the main thread is the one that says so, while it does") {
  CHECK(!MainThread::is_current());
  {
    const MainThread main;
    {
      const MainThread again;
    }
    CHECK(MainThread::is_current());
    std::thread([] {
      CHECK(!MainThread::is_current());
      const MainThread other;
      CHECK(MainThread::is_current());
    }).join();
  }
  CHECK(!MainThread::is_current());
}

TEST("a reused thread's branch finds nothing of the one before, nor an engine's maker the cached context") {
  const MainThread main;
  ContextCache cache;
  CHECK(left_by_the_branch_before<Engine>(cache) == 0);
  CHECK(cache.live() == 0);
  CHECK(found_where_the_engine_was_made<Engine>(cache) == 0);
  CHECK(cache.live() == 1);
}

TEST("bug context-captured-main gives a worker the cached context") {
  const MainThread main;
  ContextCache cache;
  CHECK(found_where_the_engine_was_made<bug::ContextCapturedMain::Engine>(cache) == 7);
  CHECK(left_by_the_branch_before<bug::ContextCapturedMain::Engine>(cache) == 0);
}

TEST("bug context-pool-reuse shows a branch what the one before it put") {
  const MainThread main;
  ContextCache cache;
  CHECK(left_by_the_branch_before<bug::ContextPoolReuse::Engine>(cache) == 5);
  CHECK(found_where_the_engine_was_made<bug::ContextPoolReuse::Engine>(cache) == 0);
}

TEST("bug context-pool-reuse keeps nothing beyond its engine") {
  for (int round = 0; round < 3; ++round) {
    ContextCache cache;
    std::optional<bug::ContextPoolReuse::Engine> engine(cache);
    {
      Branch branch(*engine);
      CHECK(branch.context().get() == 0);
      branch.context().put(5);
    }
    CHECK(cache.live() == 1);
    engine.reset();
    CHECK(cache.live() == 0);
  }
}

TEST("bug context-thread-id-key keeps the context of every thread that ever was") {
  const MainThread main;
  ContextCache cache;
  CHECK(left_by_the_branch_before<bug::ContextThreadIdKey::Engine>(cache) == 5);
  bug::ContextThreadIdKey::Engine engine(cache);
  run_on_threads(4, [together = std::make_shared<std::barrier<>>(4), &engine](std::ptrdiff_t) {
    const Branch branch(engine);
    together->arrive_and_wait();
  });
  CHECK(cache.live() == 4);
}

TEST("bug context-unlocked-check is right where threads do not look at once") {
  const MainThread main;
  ContextCache cache;
  CHECK(left_by_the_branch_before<bug::ContextUnlockedCheck::Engine>(cache) == 0);
  CHECK(found_where_the_engine_was_made<bug::ContextUnlockedCheck::Engine>(cache) == 0);
}
