// The plain queue: a list under a lock.
#pragma once

#include "runtime/queue/spill.hpp"

#include <mutex>

namespace threadbare::runtime {

/// Slower than `LockFreeQueue` under contention, but obviously right.
template <class Item>
class MutexQueue {
 public:
  void push(Item item, QueueLink<Item> &link) noexcept {
    const std::lock_guard lock(mutex_);
    link.item = item;
    link.next = nullptr;
    (first_ ? last_->next : first_) = &link;
    last_ = &link;
  }

  Item pop() noexcept {
    const std::lock_guard lock(mutex_);
    if (!first_) return Item{};
    const Item item = first_->item;
    first_ = first_->next;
    return item;
  }

  // Ordering: of two critical sections one comes first. If this one did not see the push, the push's
  // section, and all its thread does afterwards, happens after what our caller did before.
  [[nodiscard]] bool empty() const noexcept {
    const std::lock_guard lock(mutex_);
    return !first_;
  }

 private:
  mutable std::mutex mutex_;
  QueueLink<Item> *first_ = nullptr;
  /// The last one while there is a first.
  QueueLink<Item> *last_ = nullptr;
};

}  // namespace threadbare::runtime
