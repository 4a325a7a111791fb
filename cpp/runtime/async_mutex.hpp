// A mutex that suspends the coroutine instead of blocking the thread.
#pragma once

#include "runtime/waiter.hpp"

#include <mutex>
#include <utility>

namespace threadbare::runtime {

/// Grants itself in the order in which it was asked. A waiter is queued to its own affinity when it gets
/// the mutex. Must outlive every coroutine that uses it.
class AsyncMutex {
 public:
  class Awaiter;

  /// Holds the mutex until it is destroyed. Move-only.
  class [[nodiscard]] Guard {
   public:
    Guard() = default;
    Guard(Guard &&other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Guard &operator=(Guard &&other) noexcept {
      Guard taken(std::move(other));
      std::swap(mutex_, taken.mutex_);
      return *this;
    }
    ~Guard() { unlock(); }

    /// Unlocks before the end of the scope.
    void unlock() noexcept {
      if (mutex_) std::exchange(mutex_, nullptr)->unlock();
    }

   private:
    friend class Awaiter;
    explicit Guard(AsyncMutex &mutex) noexcept : mutex_(&mutex) {}
    AsyncMutex *mutex_ = nullptr;
  };

  /// `co_await mutex.lock()` gives the guard.
  Awaiter lock() noexcept;

 private:
  /// Passes the mutex on to the first waiter, or frees it.
  inline void unlock() noexcept;

  std::mutex mutex_;
  bool locked_ = false;
  WaiterList waiting_;
};

class AsyncMutex::Awaiter : private Waiter {
 public:
  explicit Awaiter(AsyncMutex &mutex) noexcept : mutex_(mutex) {}
  ~Awaiter() {
    // Only where the coroutine is destroyed while it waits, or after it was woken but before it ran.
    if (granted_) mutex_.unlock();
    if (!linked()) return;
    const std::lock_guard lock(mutex_.mutex_);
    mutex_.waiting_.remove(*this);
  }

  [[nodiscard]] static bool await_ready() noexcept { return false; }

  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<P> coroutine) noexcept {
    bind(coroutine);
    const std::lock_guard lock(mutex_.mutex_);
    if (!mutex_.locked_) {
      mutex_.locked_ = true;
      granted_ = true;
      return false;
    }
    // Lifetime: once the lock is released, this frame may be resumed elsewhere.
    mutex_.waiting_.push_back(*this);
    return true;
  }

  Guard await_resume() noexcept {
    granted_ = false;
    return Guard(mutex_);
  }

 private:
  friend class AsyncMutex;
  AsyncMutex &mutex_;
  /// The mutex belongs to this coroutine, which does not know it yet.
  bool granted_ = false;
};

inline AsyncMutex::Awaiter AsyncMutex::lock() noexcept { return Awaiter(*this); }

inline void AsyncMutex::unlock() noexcept {
  Waiter *next = nullptr;
  {
    const std::lock_guard lock(mutex_);
    next = waiting_.pop_front();
    if (next) {
      static_cast<Awaiter *>(next)->granted_ = true;
    } else {
      locked_ = false;
    }
  }
  if (next) next->wake();
}

}  // namespace threadbare::runtime
