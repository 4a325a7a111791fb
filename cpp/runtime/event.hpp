// An event that coroutines wait for.
#pragma once

#include "runtime/waiter.hpp"

#include <cstdint>
#include <mutex>

namespace threadbare::runtime {

/// What a wait does to an event that is set.
enum class EventReset : std::uint8_t {
  /// Nothing: it stays set until it is reset, and lets everyone through.
  Manual,
  /// It is unset again: one set lets one waiter through.
  Auto,
};

/// Must outlive every coroutine that uses it.
class Event {
 public:
  class Awaiter;

  explicit Event(EventReset reset, bool set = false) noexcept : reset_(reset), set_(set) {}

  /// Sets it. Wakes every waiter of a manual event; lets the first waiter of an auto-reset event through,
  /// and only stays set if there is none.
  void set() noexcept {
    WaiterList woken;
    Waiter *first = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (reset_ == EventReset::Manual) {
        set_ = true;
        woken.take(waiting_);
      } else {
        first = waiting_.pop_front();
        if (!first) set_ = true;
      }
    }
    if (first) first->wake();
    woken.wake_all();
  }

  void reset() noexcept {
    const std::lock_guard lock(mutex_);
    set_ = false;
  }

  /// `co_await event.wait()` returns once it is set.
  Awaiter wait() noexcept;

 private:
  std::mutex mutex_;
  const EventReset reset_;
  bool set_;
  WaiterList waiting_;
};

class Event::Awaiter : public QueuedWaiter {
 public:
  explicit Awaiter(Event &event) noexcept : QueuedWaiter(event.mutex_, event.waiting_), event_(event) {}

  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<P> coroutine) noexcept {
    return wait_unless(coroutine, [this] {
      const bool set = event_.set_;
      if (event_.reset_ == EventReset::Auto) event_.set_ = false;
      return set;
    });
  }

  static void await_resume() noexcept {}

 private:
  Event &event_;
};

inline Event::Awaiter Event::wait() noexcept { return Awaiter(*this); }

}  // namespace threadbare::runtime
