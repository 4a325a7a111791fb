// Seeded bug join-relaxed-waiter. Who joins a task left a pointer to its coroutine in an atomic variable, so that there
// is no data race, and then said by a relaxed change of the state that it is there. The end of the task saw the state,
// and not yet the pointer, which it followed.
#pragma once

#include "runtime/policy.hpp"

#include <atomic>
#include <cstdint>

namespace threadbare::bug {

class RelaxedMeeting {
 public:
  [[nodiscard]] bool ended() const noexcept { return state_.load(std::memory_order_acquire) == State::Ended; }

  bool wait(runtime::EndWaiter &waiter) noexcept {
    waiter_.store(&waiter, std::memory_order_relaxed);
    State expected = State::Running;
    // Ordering: the bug is that success does not release.
    return state_.compare_exchange_strong(expected, State::Awaited, std::memory_order_relaxed,
                                          std::memory_order_acquire);
  }

  [[nodiscard]] bool give_up() noexcept {
    return state_.exchange(State::GivenUp, std::memory_order_acq_rel) == State::Ended;
  }

  runtime::Met end(std::memory_order publish) noexcept {
    const State before = state_.exchange(State::Ended, publish);
    if (before == State::GivenUp) return {.gave_up = true};
    if (before == State::Running) return {};
    return {.waiter = *waiter_.load(std::memory_order_relaxed)};
  }

 private:
  enum class State : std::uint8_t { Running, Awaited, Ended, GivenUp };

  std::atomic<State> state_{State::Running};
  std::atomic<const runtime::EndWaiter *> waiter_{nullptr};
};

struct JoinRelaxedWaiter : runtime::Correct {
  using Meeting = RelaxedMeeting;
};

}  // namespace threadbare::bug
