// The unbounded part behind a bounded queue.
#pragma once

#include <atomic>
#include <mutex>

namespace threadbare::runtime {

/// The place of an item in a list. It belongs to whoever pushes the item, and must stay until the item was popped.
template <class Item>
struct QueueLink {
  Item item{};
  QueueLink *next = nullptr;
};

/// A locked FIFO that costs one atomic load while it is empty, and never allocates: a producer could do nothing
/// about it where memory runs out.
template <class Item>
class Spill {
 public:
  /// Whether nothing is in it. Sequentially consistent with the pushes: with one that found it empty by its store;
  /// any other comes, by the lock, after the store of such a one.
  // Ordering: seq_cst, as said; the item itself is read under the lock.
  [[nodiscard]] bool empty() const noexcept { return first_.load(std::memory_order_seq_cst) == nullptr; }

  void push(Item item, QueueLink<Item> &link) noexcept {
    push(item, link, [] {});
  }

  /// Calls `began()` under the lock if nothing was in it before.
  template <class Began>
  void push(Item item, QueueLink<Item> &link, Began began) noexcept {
    const std::lock_guard lock(mutex_);
    link.item = item;
    link.next = nullptr;
    QueueLink<Item> *const before = last_;
    last_ = &link;
    if (before) {
      before->next = &link;
    } else {
      // Ordering: seq_cst, for those who ask `empty` before they sleep.
      first_.store(&link, std::memory_order_seq_cst);
      began();
    }
  }

  /// The oldest item, or a default one if there is none or `condition()`, asked under the lock, is false. It
  /// sees all that the thread that pushed the item did before.
  template <class Condition>
  Item pop_if(Condition condition) noexcept {
    return empty() ? Item{} : pop_if(condition, [] {});
  }

  /// The same for a queue with a mark of its own, which `ended()` takes away under the lock if nothing is left. It waits
  /// for the lock even where nothing is left already: whoever sees the mark would only come back until it is gone.
  template <class Condition, class Ended>
  Item pop_if(Condition condition, Ended ended) noexcept {
    const std::lock_guard lock(mutex_);
    // Ordering: relaxed; it is written under the lock.
    QueueLink<Item> *const link = first_.load(std::memory_order_relaxed);
    if (!link || !condition()) return Item{};
    // Ordering: relaxed. Whoever still sees an item looks in vain, and whoever sees none, while one was pushed since,
    // is before that push all the same.
    first_.store(link->next, std::memory_order_relaxed);
    if (!link->next) {
      last_ = nullptr;
      ended();
    }
    // Lifetime: whoever goes on with the item may destroy the link, so this comes before the return.
    return link->item;
  }

 private:
  std::mutex mutex_;
  /// Written under the lock.
  std::atomic<QueueLink<Item> *> first_{nullptr};
  /// Null while `first_` is.
  QueueLink<Item> *last_ = nullptr;
};

}  // namespace threadbare::runtime
