// Seeded bug event-unlocked-set. To set a manual event took its lock only where somebody waited, which a flag told. Who
// came to wait raised the flag and then looked whether the event was set; who set it looked at the flag afterwards.
// Each saw the other's variable as it was before, and the waiter stayed.
#pragma once

#include "runtime/policy.hpp"
#include "runtime/waiter.hpp"

#include <atomic>
#include <mutex>

namespace threadbare::bug {

/// The interface of `runtime::Event`.
class FlaggedEvent {
 public:
  class Awaiter;

  explicit FlaggedEvent(runtime::EventReset reset) noexcept : reset_(reset) {}

  void set() noexcept {
    if (reset_ == runtime::EventReset::Auto) return set_for_one();
    // Ordering: release and acquire. The bug is that they let the look come before the store.
    set_.store(true, std::memory_order_release);
    if (!awaited_.load(std::memory_order_acquire)) return;
    runtime::WaiterList woken;
    {
      const std::lock_guard lock(mutex_);
      woken.take(waiting_);
      awaited_.store(false, std::memory_order_relaxed);
    }
    woken.wake_all();
  }

  void reset() noexcept {
    const std::lock_guard lock(mutex_);
    set_.store(false, std::memory_order_relaxed);
  }

  Awaiter wait() noexcept;

 private:
  void set_for_one() noexcept {
    runtime::Waiter *first = nullptr;
    {
      const std::lock_guard lock(mutex_);
      first = waiting_.pop_front();
      if (!first) set_.store(true, std::memory_order_relaxed);
    }
    if (first) first->wake();
  }

  std::mutex mutex_;
  const runtime::EventReset reset_;
  std::atomic<bool> set_{false};
  std::atomic<bool> awaited_{false};
  runtime::WaiterList waiting_;
};

class FlaggedEvent::Awaiter : public runtime::QueuedWaiter {
 public:
  explicit Awaiter(FlaggedEvent &event) noexcept : QueuedWaiter(event.mutex_, event.waiting_), event_(event) {}

  // Not inlined: see FinalSuspend.
  template <runtime::Promise P>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<P> coroutine) noexcept {
    return wait_unless(coroutine, [this] {
      // Ordering: as in `set`.
      event_.awaited_.store(true, std::memory_order_release);
      const bool set = event_.set_.load(std::memory_order_acquire);
      if (set && event_.reset_ == runtime::EventReset::Auto) event_.set_.store(false, std::memory_order_relaxed);
      return set;
    });
  }

  static void await_resume() noexcept {}

 private:
  FlaggedEvent &event_;
};

inline FlaggedEvent::Awaiter FlaggedEvent::wait() noexcept { return Awaiter(*this); }

struct EventUnlockedSet : runtime::Correct {
  using Event = FlaggedEvent;
};

}  // namespace threadbare::bug
