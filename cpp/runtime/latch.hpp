// A countdown that coroutines wait for.
#pragma once

#include "runtime/waiter.hpp"

#include <cstddef>
#include <mutex>

namespace threadbare::runtime {

/// Opens for good after `count` arrivals. Must outlive every coroutine that uses it.
class Latch {
 public:
  class Awaiter;

  explicit Latch(std::size_t count) noexcept : count_(count) {}

  /// Counts down by one, without waiting. Arrivals at an open latch change nothing.
  void arrive() noexcept {
    WaiterList woken;
    {
      const std::lock_guard lock(mutex_);
      if (count_ > 0 && --count_ == 0) woken.take(waiting_);
    }
    woken.wake_all();
  }

  /// `co_await latch.wait()` returns once it is open.
  Awaiter wait() noexcept;

 private:
  std::mutex mutex_;
  std::size_t count_;
  WaiterList waiting_;
};

class Latch::Awaiter : private Waiter {
 public:
  explicit Awaiter(Latch &latch) noexcept : latch_(latch) {}
  ~Awaiter() {
    // Only where the coroutine is destroyed while it waits.
    if (!linked()) return;
    const std::lock_guard lock(latch_.mutex_);
    latch_.waiting_.remove(*this);
  }

  [[nodiscard]] static bool await_ready() noexcept { return false; }

  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<P> coroutine) noexcept {
    bind(coroutine);
    const std::lock_guard lock(latch_.mutex_);
    if (latch_.count_ == 0) return false;
    // Lifetime: once the lock is released, this frame may be resumed elsewhere.
    latch_.waiting_.push_back(*this);
    return true;
  }

  static void await_resume() noexcept {}

 private:
  Latch &latch_;
};

inline Latch::Awaiter Latch::wait() noexcept { return Awaiter(*this); }

}  // namespace threadbare::runtime
