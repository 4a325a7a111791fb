// Coroutines that wait for a synchronisation primitive.
#pragma once

#include "runtime/promise.hpp"

#include <coroutine>
#include <mutex>
#include <utility>

namespace threadbare::runtime {

/// One waiting coroutine, in a list of the primitive that it waits for. Lives in its awaiter, so in its
/// frame.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter &) = delete;
  Waiter &operator=(const Waiter &) = delete;

  /// Notes who waits.
  template <Promise P>
  void bind(std::coroutine_handle<P> coroutine) noexcept {
    coroutine_ = coroutine;
    link_ = &coroutine.promise().link;
    executor_ = coroutine.promise().executor;
    affinity_ = coroutine.promise().affinity;
  }

  /// Queues the coroutine to its own affinity. See `Executor::push` about what may be touched afterwards.
  void wake() noexcept { executor_->push(affinity_, coroutine_, *link_); }

  /// Whether it is in a list.
  [[nodiscard]] bool linked() const noexcept { return linked_; }

 private:
  friend class WaiterList;
  Waiter *next_ = nullptr;
  Waiter *previous_ = nullptr;
  std::coroutine_handle<> coroutine_;
  ReadyLink *link_ = nullptr;
  Executor *executor_ = nullptr;
  Affinity affinity_ = Affinity::Main;
  bool linked_ = false;
};

/// Waiters in the order in which they came. Not synchronised.
class WaiterList {
 public:
  WaiterList() = default;
  WaiterList(const WaiterList &) = delete;
  WaiterList &operator=(const WaiterList &) = delete;

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

  void push_back(Waiter &waiter) noexcept {
    waiter.next_ = nullptr;
    waiter.previous_ = last_;
    (last_ ? last_->next_ : first_) = &waiter;
    last_ = &waiter;
    waiter.linked_ = true;
  }

  /// Removes the first one; null if there is none.
  Waiter *pop_front() noexcept {
    Waiter *waiter = first_;
    if (waiter) remove(*waiter);
    return waiter;
  }

  void remove(Waiter &waiter) noexcept {
    (waiter.previous_ ? waiter.previous_->next_ : first_) = waiter.next_;
    (waiter.next_ ? waiter.next_->previous_ : last_) = waiter.previous_;
    waiter.linked_ = false;
  }

  /// Takes all of the other list, in order; this one must be empty.
  void take(WaiterList &other) noexcept {
    first_ = std::exchange(other.first_, nullptr);
    last_ = std::exchange(other.last_, nullptr);
  }

  /// Wakes everyone. The caller holds no lock that a woken coroutine needs, and the list is its own: the
  /// primitive may be gone after the first of them runs.
  void wake_all() noexcept {
    while (Waiter *waiter = pop_front()) waiter->wake();
  }

 private:
  Waiter *first_ = nullptr;
  Waiter *last_ = nullptr;
};

/// What the awaiters of all primitives are: a waiter in a list that the primitive's mutex guards.
class QueuedWaiter : protected Waiter {
 public:
  [[nodiscard]] static bool await_ready() noexcept { return false; }

 protected:
  QueuedWaiter(std::mutex &mutex, WaiterList &waiting) noexcept : mutex_(mutex), waiting_(waiting) {}
  ~QueuedWaiter() {
    // Only where the coroutine is destroyed while it waits.
    if (!linked()) return;
    const std::lock_guard lock(mutex_);
    waiting_.remove(*this);
  }

  /// Waits, and says so, unless `passes` finds under the lock that there is nothing to wait for.
  template <Promise P, class Passes>
  bool wait_unless(std::coroutine_handle<P> coroutine, Passes passes) noexcept {
    bind(coroutine);
    const std::lock_guard lock(mutex_);
    if (passes()) return false;
    // Lifetime: once the lock is released, this frame may be resumed elsewhere.
    waiting_.push_back(*this);
    return true;
  }

 private:
  std::mutex &mutex_;
  WaiterList &waiting_;
};

}  // namespace threadbare::runtime
