// Arcs between agents: at most one per pair, whoever starts it.
#include "bugs/registry_callback_under_lock.hpp"
#include "bugs/registry_check_only.hpp"
#include "bugs/registry_check_then_act.hpp"
#include "bugs/registry_live_iteration.hpp"
#include "probes/scenarios/scenario.hpp"
#include "probes/scenarios/threads.hpp"
#include "runtime/systems.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace threadbare {

namespace {

using runtime::Arc;
using runtime::ArcEvent;
using runtime::ArcExists;
using runtime::ArcState;
using runtime::CorrectSystems;
using runtime::Pair;

/// Keeps what callbacks told.
class Told {
 public:
  struct Entry {
    Pair pair;
    ArcEvent event;
    Arc::Clock::time_point started;
  };

  void add(Pair pair, ArcEvent event, const Arc &arc) {
    const std::lock_guard lock(mutex_);
    entries_.push_back({pair, event, arc.started});
  }

  /// For when the threads have been joined, as all below.
  [[nodiscard]] const std::vector<Entry> &entries() const noexcept { return entries_; }

  [[nodiscard]] std::ptrdiff_t count(Pair pair, ArcEvent event) const {
    return std::count_if(entries_.begin(), entries_.end(),
                         [&](const Entry &entry) { return entry.pair == pair && entry.event == event; });
  }

 private:
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

/// Whether it succeeded. A refusal must say why.
template <class Registry>
bool start(Expectations &expect, Registry &registry, Pair pair) {
  try {
    registry.start(pair);
    return true;
  } catch (const ArcExists &refusal) {
    const std::string expected =
        "Active arc already exists between " + std::to_string(pair.a) + " and " + std::to_string(pair.b);
    expect(refusal.what() == expected);
    return false;
  }
}

/// 5 threads start the same pair: 1 success, 4 refusals, one callback. Whoever succeeded makes progress at once, and
/// the others leave its arc intact.
template <class Systems>
std::int64_t five_starts() {
  constexpr unsigned count = 5;
  constexpr Pair pair{3, 7};
  Expectations expect;
  Told told;
  typename Systems::Registry registry(
      [&](Pair whose, ArcEvent event, const Arc &arc) { told.add(whose, event, arc); });
  const auto before = Arc::Clock::now();
  std::atomic<unsigned> successes{0};
  Meeting together(count);
  on_threads(count, [&](unsigned) {
    together.wait();
    if (!start(expect, registry, pair)) return;
    ++successes;
    expect(registry.progress(pair) == 1u);
  });
  expect(successes == 1);
  expect(told.entries().size() == 2);
  expect(told.count(pair, ArcEvent::Started) == 1 && told.count(pair, ArcEvent::Progressed) == 1);
  expect(registry.active() == 1);
  const std::optional<Arc> arc = registry.status(pair);
  expect(arc.has_value());
  if (!arc) return expect.result();
  expect(arc->state == ArcState::Active && arc->phase == 1);
  expect(arc->started >= before && arc->started == told.entries().front().started);
  expect(arc->events.size() == 2);
  expect(arc->events.front().event == ArcEvent::Started && arc->events.front().at == arc->started);
  expect(arc->events.back().event == ArcEvent::Progressed && arc->events.back().at >= arc->started);
  return expect.result();
}

/// 4 threads start, progress and complete an arc each, while each callback calls back in: it asks, and starts, or
/// cancels, the arc of the other direction. Each change is announced once.
template <class Systems>
std::int64_t callbacks_call_in() {
  using Registry = typename Systems::Registry;
  constexpr std::uint32_t count = 4;
  Expectations expect;
  Told told;
  Registry *asked = nullptr;
  Registry registry([&](Pair pair, ArcEvent event, const Arc &arc) {
    told.add(pair, event, arc);
    const bool forward = pair.a < pair.b;
    const Pair reverse{pair.b, pair.a};
    expect(asked->status(pair).has_value());
    expect(asked->active() <= 2 * count);
    if (forward && event == ArcEvent::Started) expect(start(expect, *asked, reverse));
    if (forward && event == ArcEvent::Completed) expect(asked->cancel(reverse));
  });
  asked = &registry;
  on_threads(count, [&](unsigned i) {
    const Pair pair{i, i + 10};
    expect(start(expect, registry, pair));
    expect(registry.progress(pair) == 1u);
    expect(registry.complete(pair));
  });
  expect(registry.active() == 0);
  expect(told.entries().size() == 5 * count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Pair pair{i, i + 10};
    const Pair reverse{i + 10, i};
    expect(told.count(pair, ArcEvent::Started) == 1 && told.count(reverse, ArcEvent::Started) == 1);
    expect(told.count(pair, ArcEvent::Progressed) == 1);
    expect(told.count(pair, ArcEvent::Completed) == 1 && told.count(reverse, ArcEvent::Cancelled) == 1);
    expect(registry.status(pair)->state == ArcState::Completed);
    expect(registry.status(reverse)->state == ArcState::Cancelled);
  }
  return expect.result();
}

/// Two threads process all arcs, with a visitor that calls in, while two others start and complete some: each visits a
/// snapshot, in order, in which those that nobody ended are.
template <class Systems>
std::int64_t process_all() {
  constexpr std::uint32_t rounds = 3;
  Expectations expect;
  typename Systems::Registry registry;
  constexpr std::array<Pair, 3> staying{Pair{1, 1}, Pair{1, 3}, Pair{1, 5}};
  for (const Pair pair : staying) registry.start(pair);
  const auto come_and_go = [&](std::uint32_t a) {
    for (std::uint32_t round = 0; round < rounds; ++round) {
      // Before, among and behind those that stay.
      for (const Pair pair : {Pair{0, a}, Pair{1, a}, Pair{2, a}}) expect(start(expect, registry, pair));
      for (const Pair pair : {Pair{0, a}, Pair{1, a}, Pair{2, a}}) expect(registry.complete(pair));
    }
  };
  const auto process = [&](std::uint32_t a) {
    for (std::uint32_t round = 0; round < rounds; ++round) {
      const Pair own{0, a};
      expect(start(expect, registry, own));
      std::vector<Pair> visited;
      registry.process_all([&](Pair pair, const Arc &arc) {
        visited.push_back(pair);
        expect(arc.state == ArcState::Active && arc.phase == 0);
        expect(registry.status(pair).has_value());
        if (pair == own) expect(registry.complete(own));
      });
      expect(std::is_sorted(visited.begin(), visited.end()));
      expect(std::adjacent_find(visited.begin(), visited.end()) == visited.end());
      expect(std::includes(visited.begin(), visited.end(), staying.begin(), staying.end()));
      expect(std::binary_search(visited.begin(), visited.end(), own));
    }
  };
  on_threads(4, [&](unsigned i) {
    if (i % 2 == 0) {
      come_and_go(2 + i);
    } else {
      process(10 + i);
    }
  });
  expect(registry.active() == staying.size());
  return expect.result();
}

constexpr std::array all{
    Scenario{"registry-five-starts", "", 70, five_starts<CorrectSystems>},
    Scenario{"registry-five-starts", "registry-check-then-act", 70, five_starts<bug::RegistryCheckThenAct>},
    Scenario{"registry-five-starts", "registry-check-only", 70, five_starts<bug::RegistryCheckOnly>},
    Scenario{"registry-callbacks-call-in", "", 200, callbacks_call_in<CorrectSystems>},
    Scenario{"registry-callbacks-call-in", "registry-callback-under-lock", 200,
             callbacks_call_in<bug::RegistryCallbackUnderLock>},
    Scenario{"registry-process-all", "", 250, process_all<CorrectSystems>},
    Scenario{"registry-process-all", "registry-live-iteration", 250, process_all<bug::RegistryLiveIteration>},
};

}  // namespace

std::span<const Scenario> registry_scenarios() noexcept { return all; }

}  // namespace threadbare
