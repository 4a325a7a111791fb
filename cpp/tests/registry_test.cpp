#include "bugs/registry_callback_under_lock.hpp"
#include "bugs/registry_check_only.hpp"
#include "bugs/registry_check_then_act.hpp"
#include "bugs/registry_live_iteration.hpp"
#include "bugs/registry_status_unlocked.hpp"
#include "check.hpp"
#include "runtime/systems.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

using namespace threadbare;
using runtime::Arc;
using runtime::ArcEvent;
using runtime::ArcExists;
using runtime::ArcState;
using runtime::Pair;
using runtime::Registry;

namespace {

constexpr Pair pair{3, 7};

/// Keeps what callbacks told, of any thread.
class Told {
 public:
  auto callback() {
    return [this](Pair whose, ArcEvent event, const Arc &arc) {
      const std::lock_guard lock(mutex_);
      told_.emplace_back(whose, event, arc.phase);
    };
  }

  [[nodiscard]] std::ptrdiff_t count(Pair whose, ArcEvent event) const {
    return std::count_if(told_.begin(), told_.end(), [&](const auto &one) {
      return std::get<Pair>(one) == whose && std::get<ArcEvent>(one) == event;
    });
  }

 private:
  std::mutex mutex_;
  std::vector<std::tuple<Pair, ArcEvent, std::uint32_t>> told_;
};

std::vector<ArcEvent> events_of(const Arc &arc) {
  std::vector<ArcEvent> events;
  for (const Arc::Entry &entry : arc.events) events.push_back(entry.event);
  return events;
}

bool same(const Arc &one, const Arc &other) {
  return one.state == other.state && one.phase == other.phase && one.started == other.started &&
         std::equal(one.events.begin(), one.events.end(), other.events.begin(), other.events.end(),
                    [](const Arc::Entry &left, const Arc::Entry &right) {
                      return left.event == right.event && left.at == right.at;
                    });
}

/// Starts the pair on 5 threads at once; gives how many succeeded.
template <class R>
int successes_of_5_starts(R &registry, Pair whose) {
  constexpr int count = 5;
  std::latch together(count);
  std::atomic<int> successes{0};
  std::atomic<int> refusals{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      together.arrive_and_wait();
      try {
        registry.start(whose);
        ++successes;
      } catch (const ArcExists &) {
        ++refusals;
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  CHECK(successes + refusals == count);
  return successes;
}

/// Whether another thread's call comes to its end while a callback runs; it is given `limit` to.
template <class R>
bool others_come_in_during_a_callback(std::chrono::milliseconds limit) {
  R *asked = nullptr;
  std::future<std::size_t> other;
  bool came_in = false;
  R registry([&](Pair, ArcEvent, const Arc &) {
    other = std::async(std::launch::async, [&] { return asked->active(); });
    came_in = other.wait_for(limit) == std::future_status::ready;
  });
  asked = &registry;
  registry.start(pair);
  CHECK(other.get() == 1);
  return came_in;
}

/// The pairs that `process_all` visits, where the visitor completes the first of three.
template <class R>
std::vector<Pair> visited_while_the_first_is_completed() {
  R registry;
  for (const std::uint32_t b : {1u, 2u, 3u}) registry.start({0, b});
  std::vector<Pair> visited;
  registry.process_all([&](Pair whose, const Arc &) {
    visited.push_back(whose);
    if (whose.b == 1) registry.complete(whose);
  });
  return visited;
}

}  // namespace

TEST("of 5 threads that start one pair 1 succeeds and 4 are refused, with 1 callback, and the first arc is intact") {
  Told told;
  Registry registry(told.callback());
  registry.start({0, 0});
  for (std::uint32_t round = 1; round <= 50; ++round) {
    const Pair whose{round, round + 1};
    const auto before = Arc::Clock::now();
    CHECK(successes_of_5_starts(registry, whose) == 1);
    CHECK(told.count(whose, ArcEvent::Started) == 1);
    const std::optional<Arc> first = registry.status(whose);
    CHECK(first.has_value());
    CHECK(first->state == ArcState::Active);
    CHECK(first->phase == 0);
    CHECK(first->started >= before && first->started <= Arc::Clock::now());
    CHECK(events_of(*first) == std::vector{ArcEvent::Started});
    CHECK(registry.progress(whose) == 1u);
    const std::optional<Arc> progressed = registry.status(whose);
    CHECK(successes_of_5_starts(registry, whose) == 0);
    CHECK(told.count(whose, ArcEvent::Started) == 1);
    CHECK(same(*registry.status(whose), *progressed));
    CHECK(progressed->started == first->started);
  }
  CHECK(registry.active() == 51);
}

TEST("a refusal names the pair") {
  Registry registry;
  registry.start(pair);
  std::string message;
  try {
    registry.start(pair);
  } catch (const ArcExists &refused) {
    message = refused.what();
    CHECK(refused.pair == pair);
  }
  CHECK(message == "Active arc already exists between 3 and 7");
}

TEST("an arc goes from its start through its phases to its end, and the pair may start again") {
  Told told;
  Registry registry(told.callback());
  CHECK(!registry.status(pair));
  CHECK(!registry.progress(pair));
  CHECK(!registry.complete(pair));
  CHECK(!registry.cancel(pair));

  registry.start(pair);
  CHECK(registry.progress(pair) == 1u);
  CHECK(registry.progress(pair) == 2u);
  CHECK(registry.complete(pair));
  CHECK(!registry.complete(pair));
  CHECK(!registry.progress(pair));
  CHECK(registry.active() == 0);
  const std::optional<Arc> completed = registry.status(pair);
  CHECK(completed->state == ArcState::Completed);
  CHECK(completed->phase == 2);
  CHECK((events_of(*completed) == std::vector{ArcEvent::Started, ArcEvent::Progressed, ArcEvent::Progressed,
                                              ArcEvent::Completed}));
  CHECK(completed->events.front().at == completed->started);

  registry.start(pair);
  CHECK(registry.status(pair)->state == ArcState::Active);
  CHECK(registry.status(pair)->phase == 0);
  CHECK(registry.cancel(pair));
  CHECK(registry.status(pair)->state == ArcState::Cancelled);
  CHECK((events_of(*registry.status(pair)) == std::vector{ArcEvent::Started, ArcEvent::Cancelled}));

  CHECK(told.count(pair, ArcEvent::Started) == 2);
  CHECK(told.count(pair, ArcEvent::Progressed) == 2);
  CHECK(told.count(pair, ArcEvent::Completed) == 1);
  CHECK(told.count(pair, ArcEvent::Cancelled) == 1);
}

TEST("the two directions between two agents are two pairs") {
  Registry registry;
  registry.start({1, 2});
  registry.start({2, 1});
  CHECK(registry.active() == 2);
  CHECK(registry.complete({1, 2}));
  CHECK(registry.status({2, 1})->state == ArcState::Active);
}

TEST("an arc is ended by one of several threads, and each change is told once") {
  Told told;
  Registry registry(told.callback());
  constexpr int count = 4;
  for (std::uint32_t round = 0; round < 50; ++round) {
    const Pair whose{round, round};
    registry.start(whose);
    std::latch together(count);
    std::atomic<std::ptrdiff_t> ended{0};
    std::atomic<std::ptrdiff_t> progressed{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        together.arrive_and_wait();
        if (registry.progress(whose)) ++progressed;
        if (i % 2 == 0 ? registry.complete(whose) : registry.cancel(whose)) ++ended;
        const std::optional<Arc> seen = registry.status(whose);
        CHECK(seen && seen->state != ArcState::Active);
      });
    }
    for (std::thread &thread : threads) thread.join();
    CHECK(ended == 1);
    CHECK(told.count(whose, ArcEvent::Completed) + told.count(whose, ArcEvent::Cancelled) == 1);
    CHECK(told.count(whose, ArcEvent::Progressed) == progressed);
    CHECK(registry.status(whose)->phase == progressed);
    CHECK(registry.active() == 0);
  }
}

TEST("callbacks may call in") {
  Registry *asked = nullptr;
  int told = 0;
  Registry registry([&](Pair whose, ArcEvent event, const Arc &arc) {
    ++told;
    CHECK(same(*asked->status(whose), arc));
    if (event == ArcEvent::Started) {
      CHECK_THROWS(ArcExists, asked->start(whose));
      CHECK(asked->progress(whose) == 1u);
    } else if (event == ArcEvent::Progressed) {
      CHECK(asked->complete(whose));
    } else if (whose.b < 5) {
      asked->start({whose.a, whose.b + 1});
    }
  });
  asked = &registry;
  registry.start({1, 1});
  CHECK(told == 5 * 3);
  CHECK(registry.active() == 0);
}

TEST("what a callback throws passes through, and the change stands") {
  Registry registry([](Pair, ArcEvent, const Arc &) { throw std::runtime_error("callback"); });
  CHECK_THROWS(std::runtime_error, registry.start(pair));
  CHECK(registry.active() == 1);
  CHECK_THROWS(std::runtime_error, registry.complete(pair));
  CHECK(registry.status(pair)->state == ArcState::Completed);
}

TEST("process_all visits the arcs of the moment it was called at, in order, and its visitor may call in") {
  Registry registry;
  for (const std::uint32_t b : {4u, 2u, 3u, 1u}) registry.start({2, b});
  registry.start({1, 9});
  registry.start({3, 0});
  CHECK(registry.cancel({3, 0}));
  std::vector<Pair> visited;
  registry.process_all([&](Pair whose, const Arc &arc) {
    CHECK(arc.state == ArcState::Active);
    visited.push_back(whose);
    // Ends and starts arcs before and after the one visited, those to come included.
    registry.start({0, static_cast<std::uint32_t>(visited.size())});
    registry.complete({2, 5 - whose.b});
    CHECK(arc.events.size() == 1);
  });
  CHECK((visited == std::vector<Pair>{{1, 9}, {2, 1}, {2, 2}, {2, 3}, {2, 4}}));
  CHECK(registry.active() == 6);
}

TEST("process_all, status and changes go on at once") {
  Registry registry;
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        registry.process_all([](Pair, const Arc &arc) { CHECK(arc.events.size() == arc.phase + 1u); });
        const std::optional<Arc> seen = registry.status(pair);
        CHECK(!seen || seen->events.size() == seen->phase + (seen->state == ArcState::Active ? 1u : 2u));
        std::this_thread::yield();
      }
    });
  }
  for (std::uint32_t round = 0; round < 200; ++round) {
    registry.start(pair);
    registry.start({round, 0});
    registry.progress(pair);
    CHECK(registry.complete(pair));
  }
  done = true;
  for (std::thread &reader : readers) reader.join();
}

TEST("other threads come in while a callback runs") {
  CHECK(others_come_in_during_a_callback<Registry>(std::chrono::minutes(1)));
}

TEST("bug registry-callback-under-lock keeps others out while a callback runs") {
  CHECK(!others_come_in_during_a_callback<bug::RegistryCallbackUnderLock::Registry>(std::chrono::milliseconds(20)));
}

TEST("bug registry-live-iteration skips the arc after one that is ended") {
  const auto visited = visited_while_the_first_is_completed<bug::RegistryLiveIteration::Registry>();
  CHECK(visited.at(0) == (Pair{0, 1}) && visited.at(1) == (Pair{0, 3}));
  CHECK((visited_while_the_first_is_completed<Registry>() == std::vector<Pair>{{0, 1}, {0, 2}, {0, 3}}));
}

TEST("bug registry-status-unlocked reads a status while the lock is held") {
  struct LockHeld : bug::StatusUnlocked {
    static void before_callback(Lock &) noexcept {}
  };
  runtime::BasicRegistry<LockHeld> *asked = nullptr;
  bool read = false;
  runtime::BasicRegistry<LockHeld> registry(
      [&](Pair whose, ArcEvent, const Arc &) { read = asked->status(whose).has_value(); });
  asked = &registry;
  registry.start(pair);
  CHECK(read);
}

TEST("bugs registry-check-then-act and registry-check-only are right where starts do not come at once") {
  const auto right = [](auto registry) {
    registry->start(pair);
    CHECK_THROWS(ArcExists, registry->start(pair));
    CHECK(registry->complete(pair));
    registry->start(pair);
    CHECK(registry->active() == 1);
  };
  right(std::make_unique<bug::RegistryCheckThenAct::Registry>());
  right(std::make_unique<bug::RegistryCheckOnly::Registry>());
}
