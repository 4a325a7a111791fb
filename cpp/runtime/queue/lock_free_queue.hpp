// The default queue: a lock-free ring for several producers and consumers, unbounded by spilling over.
#pragma once

#include "runtime/queue/spill.hpp"

#include <atomic>
#include <cstddef>

namespace threadbare::runtime {

/// Dmitry Vyukov's bounded MPMC queue (1024cores.net), with turns in place of sequence numbers so that a
/// new ring is all zeros, and with a `Spill` for what does not fit. Both ends of the ring say whether something is
/// spilled, so that nobody needs to look at the spill where nothing is.
///
/// What a scheduler asks of a queue:
/// - `push(item, link)` by any thread, which cannot fail; `pop()` by any thread, an empty item if there is none. The
///   link is the queue's until the item was popped.
/// - One thread's items come out in the order in which it pushed them.
/// - If a thread stores a flag with seq_cst and then finds `empty()`, every `push` that it did not see
///   returns to a thread that sees the flag with a seq_cst load.
///
/// A push that has taken a cell but not filled it yet hides later items from `pop` and `empty`. That is
/// allowed: the thread that fills the cell looks at the flag afterwards, and whoever is woken by it finds
/// both.
///
/// `fill` is the order of a push's store, and only weaker in a seeded bug. `cell_count` is enough for most programs;
/// small, because a scheduler is cheap to make.
template <class Item, std::memory_order fill = std::memory_order_seq_cst, std::size_t cell_count = 64>
class LockFreeQueue {
 public:
  void push(Item item, QueueLink<Item> &link) noexcept {
    // Ordering: relaxed, here and below. One that is out of date finds a cell of a later turn, or fails to take its
    // own.
    std::size_t tail = tail_.load(std::memory_order_relaxed);
    while (true) {
      // Later items must not overtake the spilled ones for ever.
      if ((tail & spilled) != 0) return spill(item, link);
      const std::size_t position = tail / one_cell;
      Cell &cell = cells_[position % cell_count];
      const std::size_t free = position / cell_count * 2;
      // Ordering: acquire pairs with the release in `pop`: the cell's old item has been read. A turn that is out of
      // date is at worst that of a cell which is not free: then the item spills, which it may.
      const std::size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == free) {
        // Ordering: relaxed, since the position only decides who gets the cell; the turn orders its use.
        if (tail_.compare_exchange_weak(tail, tail + one_cell, std::memory_order_relaxed)) {
          cell.item = item;
          // Ordering: release for the item; seq_cst so that it comes before the producer's look at who
          // sleeps, see `empty`.
          cell.turn.store(free + 1, fill);
          return;
        }
      } else if (turn < free) {
        return spill(item, link);
      } else {
        tail = tail_.load(std::memory_order_relaxed);
      }
    }
  }

  Item pop() noexcept {
    // Ordering: relaxed, here and below, as of the tail. A turn that is out of date is at worst that of a cell which is
    // not filled: then there seems to be nothing, which `empty` is asked about before anyone sleeps.
    std::size_t head = head_.load(std::memory_order_relaxed);
    while (true) {
      const std::size_t position = head / one_cell;
      Cell &cell = cells_[position % cell_count];
      const std::size_t filled = position / cell_count * 2 + 1;
      // Ordering: acquire pairs with the store in `push`: the item is there.
      const std::size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == filled) {
        // Ordering: release, so that whoever sees this end of the ring sees a tail that is not behind it: `empty` asks
        // for the tail of a position without the lock.
        if (head_.compare_exchange_weak(head, head + one_cell, std::memory_order_release, std::memory_order_relaxed)) {
          const Item item = cell.item;
          // Ordering: release, so that the cell is not written again before the item has been read.
          cell.turn.store(filled + 1, std::memory_order_release);
          return item;
        }
      } else if (turn < filled) {
        return (head & spilled) == 0 ? Item{} : pop_spilled(position);
      } else {
        head = head_.load(std::memory_order_relaxed);
      }
    }
  }

  [[nodiscard]] bool empty() const noexcept {
    while (true) {
      // Ordering: seq_cst, both. If this misses a push's store, or the mark of a spill, it comes before that in the
      // single total order, so the flag that our caller stored before does too, and the producer sees it.
      const std::size_t head = head_.load(std::memory_order_seq_cst);
      const std::size_t position = head / one_cell;
      const std::size_t filled = position / cell_count * 2 + 1;
      const std::size_t turn = cells_[position % cell_count].turn.load(std::memory_order_seq_cst);
      if (turn == filled) return false;
      if (turn < filled) return (head & spilled) == 0 || !ends_at(position);
    }
  }

 private:
  /// The ends of the ring are positions, which count up, and whether something is spilled.
  static constexpr std::size_t spilled = 1;
  static constexpr std::size_t one_cell = 2;

  struct Cell {
    /// Twice the lap when it is free to be filled in that lap, one more once it is filled.
    std::atomic<std::size_t> turn{0};
    Item item{};
  };

  void spill(Item item, QueueLink<Item> &link) noexcept {
    // Both marks change under the lock of the spill, so a thread that spilled an item, first or not, finds them as long
    // as it is there.
    spill_.push(item, link, [this] {
      // Ordering: seq_cst, as the store in `push`: before the producer's look at who sleeps, by the lock also that of
      // one whose item is not the first.
      head_.fetch_or(spilled, std::memory_order_seq_cst);
      // Ordering: relaxed, since it only has to be seen by those who spilled.
      tail_.fetch_or(spilled, std::memory_order_relaxed);
    });
  }

  Item pop_spilled(std::size_t position) noexcept {
    return spill_.pop_if([&] { return ends_at(position); },
                         [this] {
                           // Ordering: relaxed. Whoever sees a mark that is gone looks in vain.
                           tail_.fetch_and(~spilled, std::memory_order_relaxed);
                           head_.fetch_and(~spilled, std::memory_order_relaxed);
                         });
  }

  /// Whether no push has taken a cell from this position on. If one has and is only about to fill it, a spilled
  /// item may be a later one of a thread that has already filled the cell behind.
  [[nodiscard]] bool ends_at(std::size_t position) const noexcept {
    // Ordering: relaxed, under the lock of the spill: whoever spilled an item had seen the cells that its earlier items
    // took. Elsewhere the position was read from `head_`, whose store is ordered after that of the tail.
    return tail_.load(std::memory_order_relaxed) / one_cell == position;
  }

  alignas(64) std::atomic<std::size_t> tail_{0};
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) Cell cells_[cell_count]{};
  Spill<Item> spill_;
};

}  // namespace threadbare::runtime
