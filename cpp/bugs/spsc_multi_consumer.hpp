// Seeded bug spsc-multi-consumer. The queues were single-producer single-consumer rings, chosen when each worker
// was to have its own. Then the workers came to share one and the main thread to help them: two threads
// popped the same coroutine, or pushed into the same cell.
#pragma once

#include "runtime/policy.hpp"
#include "runtime/queue/spill.hpp"

#include <atomic>
#include <cstddef>

namespace threadbare::bug {

/// Right for one thread that pushes and one that pops; the interface of `runtime::LockFreeQueue`.
template <class Item>
class SpscQueue {
 public:
  void push(Item item, runtime::QueueLink<Item> &link) noexcept {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    // Ordering: acquire pairs with the release in `pop`: the cell's old item has been read.
    if (!spill_.empty() || tail - head_.load(std::memory_order_acquire) == cell_count) return spill_.push(item, link);
    items_[tail % cell_count] = item;
    // Ordering: release for the item; seq_cst for `empty`, as in `runtime::LockFreeQueue`.
    tail_.store(tail + 1, std::memory_order_seq_cst);
  }

  Item pop() noexcept {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    // Ordering: acquire pairs with the store in `push`: the item is there.
    if (head == tail_.load(std::memory_order_acquire)) return spill_.pop_if([] { return true; });
    const Item item = items_[head % cell_count];
    // Ordering: release, so that the cell is not written again before the item has been read.
    head_.store(head + 1, std::memory_order_release);
    return item;
  }

  [[nodiscard]] bool empty() const noexcept {
    return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_seq_cst) && spill_.empty();
  }

 private:
  static constexpr std::size_t cell_count = 64;

  alignas(64) std::atomic<std::size_t> tail_{0};
  alignas(64) std::atomic<std::size_t> head_{0};
  Item items_[cell_count]{};
  runtime::Spill<Item> spill_;
};

struct SpscMultiConsumer : runtime::Correct {
  template <class Item>
  using Queue = SpscQueue<Item>;
};

}  // namespace threadbare::bug
