// A mutex that suspends the coroutine instead of blocking the thread.
#pragma once

#include "runtime/async_semaphore.hpp"

#include <utility>

namespace threadbare::runtime {

/// A semaphore of one permit, which a guard gives back. Grants itself in the order in which it was asked. Must outlive every
/// coroutine that uses it.
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
      if (mutex_) std::exchange(mutex_, nullptr)->permit_.release();
    }

   private:
    friend class Awaiter;
    explicit Guard(AsyncMutex &mutex) noexcept : mutex_(&mutex) {}
    AsyncMutex *mutex_ = nullptr;
  };

  /// `co_await mutex.lock()` gives the guard.
  Awaiter lock() noexcept;

 private:
  AsyncSemaphore permit_{1};
};

class AsyncMutex::Awaiter : public AsyncSemaphore::Awaiter {
 public:
  explicit Awaiter(AsyncMutex &mutex) noexcept : AsyncSemaphore::Awaiter(mutex.permit_), mutex_(mutex) {}

  Guard await_resume() noexcept {
    AsyncSemaphore::Awaiter::await_resume();
    return Guard(mutex_);
  }

 private:
  AsyncMutex &mutex_;
};

inline AsyncMutex::Awaiter AsyncMutex::lock() noexcept { return Awaiter(*this); }

}  // namespace threadbare::runtime
