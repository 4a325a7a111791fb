// The unbounded part behind a bounded queue.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <vector>

namespace threadbare::runtime {

/// A locked FIFO that costs one atomic load while it is empty, and no allocation until it is used.
template <class Item>
class Spill {
 public:
  /// Whether something is in it. Sequentially consistent with `push`.
  [[nodiscard]] bool empty() const noexcept { return count_.load(std::memory_order_seq_cst) == 0; }

  void push(Item item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(item);
    count_.store(items_.size() - first_, std::memory_order_seq_cst);
  }

  /// The oldest item, or a default one if there is none or `condition()`, asked under the lock, is false. It
  /// sees all that the thread that pushed the item did before.
  template <class Condition>
  Item pop_if(Condition condition) noexcept {
    if (empty()) return Item{};
    const std::lock_guard lock(mutex_);
    if (first_ == items_.size() || !condition()) return Item{};
    const Item item = items_[first_++];
    if (first_ == items_.size()) {
      items_.clear();
      first_ = 0;
    } else if (first_ >= 64 && first_ * 2 >= items_.size()) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    count_.store(items_.size() - first_, std::memory_order_seq_cst);
    return item;
  }

 private:
  std::mutex mutex_;
  std::vector<Item> items_;
  /// Items before this one have been popped.
  std::size_t first_ = 0;
  /// `items_.size() - first_`; written under the lock.
  std::atomic<std::size_t> count_{0};
};

}  // namespace threadbare::runtime
