// Where a started task that ends and the handle of it meet.
#pragma once

#include "runtime/affinity.hpp"

#include <atomic>
#include <coroutine>
#include <cstdint>

namespace threadbare::runtime {

/// A coroutine that waits for the end of a started task.
struct EndWaiter {
  std::coroutine_handle<> coroutine;
  Affinity affinity = Affinity::Main;
};

/// What a task finds at its end.
struct Met {
  /// The handle's side is done, so what both shared is the task's alone. Else it is the handle's from now on.
  bool gave_up = false;
  /// To be resumed; its coroutine is null if nobody waits.
  EndWaiter waiter{};
};

/// One side comes first, and the other finds out by the one word that both change.
class Meeting {
 public:
  [[nodiscard]] bool ended() const noexcept {
    // Ordering: acquire pairs with the exchange in `end`: the result is there.
    return state_.load(std::memory_order_acquire) == has_ended;
  }

  /// Registers the one waiter; false if the task has ended already.
  bool wait(EndWaiter &waiter) noexcept {
    std::uintptr_t expected = running;
    // Ordering: release, so that the task's end finds the waiter filled in; acquire on failure as in `ended`.
    return state_.compare_exchange_strong(expected, reinterpret_cast<std::uintptr_t>(&waiter),
                                          std::memory_order_release, std::memory_order_acquire);
  }

  /// The handle's side is done. True if the task's side is too: then what both shared is the caller's.
  [[nodiscard]] bool give_up() noexcept {
    // Ordering: acquire, so that the frame of an ended task is destroyed after its end; release, so that
    // the task's side destroys what both shared after all that the handle's side did with it.
    return state_.exchange(given_up, std::memory_order_acq_rel) == has_ended;
  }

  /// The task has ended. Ordering: `publish`, see `Correct::publish`.
  Met end(std::memory_order publish) noexcept {
    const std::uintptr_t before = state_.exchange(has_ended, publish);
    if (before == given_up) return {.gave_up = true};
    if (before == running) return {};
    return {.waiter = *reinterpret_cast<EndWaiter *>(before)};
  }

 private:
  // The states; any other value is the address of the waiter.
  static constexpr std::uintptr_t running = 0;
  static constexpr std::uintptr_t has_ended = 1;
  static constexpr std::uintptr_t given_up = 2;
  static_assert(alignof(EndWaiter) > given_up, "addresses of waiters differ from the states");

  std::atomic<std::uintptr_t> state_{running};
};

}  // namespace threadbare::runtime
