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

class Latch::Awaiter : public QueuedWaiter {
 public:
  explicit Awaiter(Latch &latch) noexcept : QueuedWaiter(latch.mutex_, latch.waiting_), latch_(latch) {}

  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<P> coroutine) noexcept {
    return wait_unless(coroutine, [this] { return latch_.count_ == 0; });
  }

  static void await_resume() noexcept {}

 private:
  Latch &latch_;
};

inline Latch::Awaiter Latch::wait() noexcept { return Awaiter(*this); }

}  // namespace threadbare::runtime
