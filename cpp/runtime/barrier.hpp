// A barrier of several phases that coroutines wait at.
#pragma once

#include "runtime/waiter.hpp"

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace threadbare::runtime {

/// A phase is complete after `participants` arrivals; the next one begins at once. Must outlive every
/// coroutine that uses it.
class Barrier {
 public:
  class Awaiter;
  /// The phase that an arrival counted for.
  enum class Ticket : std::uint64_t {};

  explicit Barrier(std::size_t participants) noexcept : participants_(participants), missing_(participants) {
    assert(participants > 0 && "a phase without participants would never be complete");
  }

  /// Arrives at the current phase, without waiting.
  Ticket arrive() noexcept {
    WaiterList woken;
    std::uint64_t phase = 0;
    {
      const std::lock_guard lock(mutex_);
      phase = phase_;
      if (--missing_ == 0) {
        missing_ = participants_;
        ++phase_;
        // Nobody waits for a later phase yet: nobody has its ticket.
        woken.take(waiting_);
      }
    }
    woken.wake_all();
    return Ticket{phase};
  }

  /// `co_await barrier.wait(ticket)` returns once the ticket's phase is complete.
  Awaiter wait(Ticket ticket) noexcept;

 private:
  std::mutex mutex_;
  const std::size_t participants_;
  /// Arrivals until the current phase is complete; never 0 outside of the lock.
  std::size_t missing_;
  std::uint64_t phase_ = 0;
  WaiterList waiting_;
};

class Barrier::Awaiter : public QueuedWaiter {
 public:
  Awaiter(Barrier &barrier, Ticket ticket) noexcept
      : QueuedWaiter(barrier.mutex_, barrier.waiting_),
        barrier_(barrier),
        phase_(static_cast<std::uint64_t>(ticket)) {}

  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<P> coroutine) noexcept {
    return wait_unless(coroutine, [this] { return barrier_.phase_ != phase_; });
  }

  static void await_resume() noexcept {}

 private:
  Barrier &barrier_;
  std::uint64_t phase_;
};

inline Barrier::Awaiter Barrier::wait(Ticket ticket) noexcept { return {*this, ticket}; }

}  // namespace threadbare::runtime
