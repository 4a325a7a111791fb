// The queue of Debian's libconcurrentqueue-dev, where that is installed.
#pragma once

#if __has_include(<concurrentqueue/moodycamel/concurrentqueue.h>)
#include <concurrentqueue/moodycamel/concurrentqueue.h>
#define THREADBARE_HAS_MOODYCAMEL 1
#elif __has_include(<concurrentqueue/concurrentqueue.h>)
#include <concurrentqueue/concurrentqueue.h>
#define THREADBARE_HAS_MOODYCAMEL 1
#else
#define THREADBARE_HAS_MOODYCAMEL 0
#endif

#if THREADBARE_HAS_MOODYCAMEL

#include "runtime/queue/spill.hpp"

#include <atomic>
#include <cstddef>

namespace threadbare::runtime {

/// `moodycamel::ConcurrentQueue`, plus a count: the queue itself promises no order between a push and
/// another thread's failing pop, which a thread about to sleep depends on. Where it finds no memory, items spill over.
template <class Item>
class MoodycamelQueue {
 public:
  void push(Item item, QueueLink<Item> &link) noexcept {
    // Later items must not overtake the spilled ones for ever.
    if (!spill_.empty() || !items_.enqueue(item)) spill_.push(item, link);
    // Ordering: seq_cst, so that it comes before the producer's look at who sleeps.
    count_.fetch_add(1, std::memory_order_seq_cst);
  }

  Item pop() noexcept {
    Item item{};
    if (!items_.try_dequeue(item)) item = spill_.pop_if([] { return true; });
    // Ordering: relaxed. It only has to be in the order of changes: a look that does not see a push is before that
    // push's own change, whichever one in between it saw.
    if (item != Item{}) count_.fetch_sub(1, std::memory_order_relaxed);
    return item;
  }

  /// While a push or pop is between the queue and the count, this may say either; whoever is told that there is
  /// something looks again.
  // Ordering: seq_cst, against the count of a push.
  [[nodiscard]] bool empty() const noexcept { return count_.load(std::memory_order_seq_cst) <= 0; }

 private:
  moodycamel::ConcurrentQueue<Item> items_;
  Spill<Item> spill_;
  /// Briefly negative when an item is popped before it is counted.
  std::atomic<std::ptrdiff_t> count_{0};
};

}  // namespace threadbare::runtime

#endif
