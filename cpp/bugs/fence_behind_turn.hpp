// Seeded bug fence-behind-turn. A queue of atomic cells relied on one fence in each push. It stood behind the store of
// the turn, where it orders that before the look at who sleeps, but not the item before the turn: a thread that saw the
// cell filled took what was in it before.
#pragma once

#include "runtime/policy.hpp"
#include "runtime/queue/spill.hpp"

#include <atomic>
#include <cstddef>

namespace threadbare::bug {

/// The interface of `runtime::LockFreeQueue`, and its ring.
template <class Item>
class FencedQueue {
 public:
  void push(Item item, runtime::QueueLink<Item> &link) noexcept {
    std::size_t tail = tail_.load(std::memory_order_relaxed);
    while (true) {
      if (!spill_.empty()) return spill_.push(item, link);
      Cell &cell = cells_[tail % cell_count];
      const std::size_t free = tail / cell_count * 2;
      // Ordering: acquire pairs with the release in `pop`: the cell's old item has been read.
      const std::size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn < free) return spill_.push(item, link);
      if (turn > free) {
        tail = tail_.load(std::memory_order_relaxed);
      } else if (tail_.compare_exchange_weak(tail, tail + 1, std::memory_order_relaxed)) {
        cell.item.store(item, std::memory_order_relaxed);
        cell.turn.store(free + 1, std::memory_order_relaxed);
        // Ordering: the bug is that this belongs before the turn, and another one behind it.
        std::atomic_thread_fence(std::memory_order_seq_cst);
        return;
      }
    }
  }

  Item pop() noexcept {
    std::size_t head = head_.load(std::memory_order_relaxed);
    while (true) {
      Cell &cell = cells_[head % cell_count];
      const std::size_t filled = head / cell_count * 2 + 1;
      const std::size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn < filled) return spill_.pop_if([] { return true; });
      if (turn > filled) {
        head = head_.load(std::memory_order_relaxed);
      } else if (head_.compare_exchange_weak(head, head + 1, std::memory_order_relaxed)) {
        const Item item = cell.item.load(std::memory_order_relaxed);
        // Ordering: release, so that the cell is not written again before the item has been read.
        cell.turn.store(filled + 1, std::memory_order_release);
        return item;
      }
    }
  }

  [[nodiscard]] bool empty() const noexcept {
    // Ordering: seq_cst, with the fence of a push.
    const std::size_t head = head_.load(std::memory_order_seq_cst);
    const std::size_t filled = head / cell_count * 2 + 1;
    return cells_[head % cell_count].turn.load(std::memory_order_seq_cst) < filled && spill_.empty();
  }

 private:
  static constexpr std::size_t cell_count = 64;

  struct Cell {
    std::atomic<std::size_t> turn{0};
    std::atomic<Item> item{};
  };

  alignas(64) std::atomic<std::size_t> tail_{0};
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) Cell cells_[cell_count]{};
  runtime::Spill<Item> spill_;
};

struct FenceBehindTurn : runtime::Correct {
  template <class Item>
  using Queue = FencedQueue<Item>;
};

}  // namespace threadbare::bug
