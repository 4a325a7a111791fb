// Interpreter contexts of branches on threads of a pool.
#include "bugs/context_captured_main.hpp"
#include "bugs/context_pool_reuse.hpp"
#include "bugs/context_thread_id_key.hpp"
#include "probes/scenarios/scenario.hpp"
#include "probes/scenarios/threads.hpp"
#include "runtime/systems.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace threadbare {

namespace {

using runtime::Branch;
using runtime::ContextCache;
using runtime::CorrectSystems;

/// A branch that is one of `live` contexts while all are `here`: it finds a fresh one, and keeps what it puts.
template <class Engine>
void run_branch(Expectations &expect, Meeting &here, const ContextCache &cache, Engine &engine, std::int64_t value,
                std::size_t live) {
  Branch branch(engine);
  expect(branch.context().get() == 0);
  branch.context().put(value);
  here.wait();
  expect(cache.live() == live);
  expect(branch.context().get() == value);
  // Nobody's ends before all have looked.
  here.wait();
}

/// 5 branches at once, 50 times over, on the 5 threads of a pool: they share nothing and leave nothing.
template <class Systems>
std::int64_t five_branches() {
  constexpr unsigned count = 5;
  constexpr int rounds = 50;
  Expectations expect;
  const runtime::MainThread main;
  ContextCache cache;
  {
    typename Systems::Engine engine(cache);
    Meeting here(count);
    on_threads(count, [&](unsigned i) {
      for (int round = 0; round < rounds; ++round) {
        run_branch(expect, here, cache, engine, round * std::int64_t{count} + i + 1, count);
        here.wait();
        expect(cache.live() == 0);
        here.wait();
      }
    });
  }
  expect(cache.live() == 0);
  return expect.result();
}

/// 4 workers, 20 times over, each with an engine that it made and 3 branches at once: its own, and those of two more
/// threads. The main thread has its cached context meanwhile and afterwards.
template <class Systems>
std::int64_t engines_of_workers() {
  using Engine = typename Systems::Engine;
  constexpr unsigned workers = 4;
  constexpr unsigned branches = 3;
  constexpr int rounds = 20;
  Expectations expect;
  const runtime::MainThread main;
  ContextCache cache;
  {
    Engine engine(cache);
    Branch branch(engine);
    branch.context().put(-1);
    std::array<std::optional<Engine>, workers> engines;
    Meeting here(workers * branches);
    on_threads(workers * branches, [&](unsigned i) {
      std::optional<Engine> &own = engines[i / branches];
      const bool makes_engine = i % branches == 0;
      for (int round = 0; round < rounds; ++round) {
        if (makes_engine) own.emplace(cache);
        here.wait();
        run_branch(expect, here, cache, *own, std::int64_t{i} + 1, workers * branches + 1);
        here.wait();
        if (makes_engine) own.reset();
      }
    });
    expect(cache.live() == 1);
    expect(branch.context().get() == -1);
  }
  expect(cache.live() == 1);
  return expect.result();
}

/// 24 threads at once have 24 contexts, besides the main thread's.
template <class Systems>
std::int64_t many_threads() {
  constexpr unsigned count = 24;
  Expectations expect;
  const runtime::MainThread main;
  ContextCache cache;
  typename Systems::Engine engine(cache);
  Branch branch(engine);
  branch.context().put(-1);
  Meeting here(count);
  on_threads(count, [&](unsigned i) { run_branch(expect, here, cache, engine, std::int64_t{i} + 1, count + 1); });
  expect(cache.live() == 1);
  expect(branch.context().get() == -1);
  return expect.result();
}

constexpr std::array all{
    Scenario{"context-five-branches", "", 5500, five_branches<CorrectSystems>},
    Scenario{"context-five-branches", "context-pool-reuse", 5500, five_branches<bug::ContextPoolReuse>},
    Scenario{"context-engines-of-workers", "", 5500, engines_of_workers<CorrectSystems>},
    Scenario{"context-engines-of-workers", "context-captured-main", 5500,
             engines_of_workers<bug::ContextCapturedMain>},
    Scenario{"context-24-threads", "", 450, many_threads<CorrectSystems>},
    Scenario{"context-24-threads", "context-thread-id-key", 450, many_threads<bug::ContextThreadIdKey>},
};

}  // namespace

std::span<const Scenario> context_scenarios() noexcept { return all; }

}  // namespace threadbare
