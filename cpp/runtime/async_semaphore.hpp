// A counting semaphore that suspends the coroutine instead of blocking the thread.
#pragma once

#include "runtime/waiter.hpp"

#include <cstddef>
#include <mutex>

namespace threadbare::runtime {

/// Gives its permits in the order in which they were asked for. Must outlive every coroutine that uses it.
class AsyncSemaphore {
 public:
  class Awaiter;

  explicit AsyncSemaphore(std::size_t permits) noexcept : permits_(permits) {}

  /// `co_await semaphore.acquire()` takes one permit.
  Awaiter acquire() noexcept;

  /// Gives one permit back, or a new one, to the first waiter if there is one.
  inline void release() noexcept;

 private:
  std::mutex mutex_;
  std::size_t permits_;
  WaiterList waiting_;
};

class AsyncSemaphore::Awaiter : public QueuedWaiter {
 public:
  explicit Awaiter(AsyncSemaphore &semaphore) noexcept
      : QueuedWaiter(semaphore.mutex_, semaphore.waiting_), semaphore_(semaphore) {}
  ~Awaiter() {
    // Only where the coroutine is destroyed after it was woken but before it ran.
    if (granted_) semaphore_.release();
  }

  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<P> coroutine) noexcept {
    return wait_unless(coroutine, [this] {
      granted_ = semaphore_.permits_ > 0;
      if (granted_) --semaphore_.permits_;
      return granted_;
    });
  }

  void await_resume() noexcept { granted_ = false; }

 private:
  friend class AsyncSemaphore;
  AsyncSemaphore &semaphore_;
  /// The permit belongs to this coroutine, which does not know it yet.
  bool granted_ = false;
};

inline AsyncSemaphore::Awaiter AsyncSemaphore::acquire() noexcept { return Awaiter(*this); }

inline void AsyncSemaphore::release() noexcept {
  Waiter *next = nullptr;
  {
    const std::lock_guard lock(mutex_);
    next = waiting_.pop_front();
    if (next) {
      static_cast<Awaiter *>(next)->granted_ = true;
    } else {
      ++permits_;
    }
  }
  if (next) next->wake();
}

}  // namespace threadbare::runtime
