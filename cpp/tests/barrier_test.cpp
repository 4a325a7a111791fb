#include "check.hpp"
#include "limits.hpp"
#include "runtime/runtime.hpp"

#include <atomic>
#include <cstddef>
#include <vector>

using namespace threadbare::runtime;

namespace {

constexpr int phases = 100;
constexpr std::size_t participants = 4;

/// Nobody may be more than one phase ahead of anybody else.
template <Affinity A>
Task<A, bool> takes_part(Barrier &barrier, std::atomic<long> &arrivals) {
  bool right = true;
  for (long phase = 1; phase <= phases; ++phase) {
    ++arrivals;
    const Barrier::Ticket ticket = barrier.arrive();
    if (phase % 3 == 0) co_await yield();
    co_await barrier.wait(ticket);
    const long seen = arrivals;
    right = right && seen >= phase * static_cast<long>(participants) &&
            seen <= (phase + 1) * static_cast<long>(participants);
    // A ticket of a complete phase never waits again.
    co_await barrier.wait(ticket);
  }
  co_return right;
}

Task<Affinity::Main, bool> go_through_all_phases() {
  Barrier barrier(participants);
  std::atomic<long> arrivals{0};
  const auto [a, b, c, d] =
      co_await when_all(takes_part<Affinity::Main>(barrier, arrivals), takes_part<Affinity::Worker>(barrier, arrivals),
                        takes_part<Affinity::Worker>(barrier, arrivals), takes_part<Affinity::Main>(barrier, arrivals));
  co_return a && b && c && d;
}

}  // namespace

TEST("a phase is complete when all have arrived, phase after phase") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 5; ++round) CHECK(scheduler.run(go_through_all_phases()));
  }
}

TEST("a barrier for one never waits") {
  Scheduler scheduler(1);
  scheduler.run([]() -> Task<Affinity::Main> {
    Barrier barrier(1);
    for (int i = 0; i < 3; ++i) co_await barrier.wait(barrier.arrive());
  }());
}
