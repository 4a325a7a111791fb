// The parts of the runtime that can be replaced, and the right choice for each.
#pragma once

#include "runtime/event.hpp"
#include "runtime/final_suspend.hpp"
#include "runtime/meeting.hpp"
#include "runtime/queue/lock_free_queue.hpp"
#include "runtime/sleepers.hpp"
#include "runtime/transfer.hpp"

#include <atomic>

namespace threadbare::runtime {

/// A policy derives from this and redefines what it does differently.
struct Correct {
  /// Where ready coroutines wait; any thread pushes, and any thread may pop. See queue/lock_free_queue.hpp
  /// for what is asked of it.
  template <class Item>
  using Queue = LockFreeQueue<Item>;

  /// The awaiter of a task.
  template <class Task>
  using Transfer = runtime::Transfer<Task>;

  /// The awaiter of a task's final suspend point.
  using FinalSuspend = runtime::FinalSuspend;

  // Ordering: release makes the result visible to whoever sees the task ended, and acquire makes the
  // results of the others, and the waiter, visible to the one that finds itself last.
  static constexpr std::memory_order publish = std::memory_order_acq_rel;

  /// How threads without work sleep.
  using Sleepers = runtime::Sleepers;

  // Ordering: seq_cst, so that the first deadline comes before the look at whether the main thread sleeps; as with a
  // push, either of the two is seen.
  static constexpr std::memory_order deadline = std::memory_order_seq_cst;

  /// Where a started task that ends and its handle meet.
  using Meeting = runtime::Meeting;

  using Event = runtime::Event;

  /// Asked by a thread that has announced that it is about to sleep: may it? `is_empty` looks at the queues.
  template <class IsEmpty>
  static bool may_sleep(IsEmpty is_empty) noexcept {
    return is_empty();
  }
};

}  // namespace threadbare::runtime
