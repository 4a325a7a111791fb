// The plain queue: a deque under a lock.
#pragma once

#include <deque>
#include <mutex>

namespace threadbare::runtime {

/// Slower than `LockFreeQueue` under contention and dearer to make, but obviously right.
template <class Item>
class MutexQueue {
 public:
  void push(Item item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(item);
  }

  Item pop() noexcept {
    const std::lock_guard lock(mutex_);
    if (items_.empty()) return Item{};
    const Item item = items_.front();
    items_.pop_front();
    return item;
  }

  // Ordering: of two critical sections one comes first. If this one did not see the push, the push's
  // section, and all its thread does afterwards, happens after what our caller did before.
  [[nodiscard]] bool empty() const noexcept {
    const std::lock_guard lock(mutex_);
    return items_.empty();
  }

 private:
  mutable std::mutex mutex_;
  std::deque<Item> items_;
};

}  // namespace threadbare::runtime
