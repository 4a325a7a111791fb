// Coroutines that wait for a point in time.
#pragma once

#include "runtime/affinity.hpp"
#include "runtime/executor.hpp"

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace threadbare::runtime {

using Clock = std::chrono::steady_clock;

/// One waiting coroutine. Lives in its awaiter, so in its frame.
struct Timer {
  Clock::time_point deadline;
  std::coroutine_handle<> coroutine;
  ReadyLink *link = nullptr;
  Affinity affinity = Affinity::Main;

  /// Not in `Timers`.
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
  /// Index in the heap of `Timers`, or `nowhere`.
  std::size_t place = nowhere;
  /// Timers with the same deadline expire in the order in which they were added.
  std::uint64_t number = 0;
  /// The next one in a list of expired timers.
  Timer *next = nullptr;
};

/// A binary heap of timers that knows where each one is, so that it can be removed again. Not
/// synchronised.
class Timers {
 public:
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }

  /// The deadline that comes first; there must be one.
  [[nodiscard]] Clock::time_point first_deadline() const noexcept { return heap_.front()->deadline; }

  /// Where memory runs out, this throws and nothing has changed.
  void add(Timer &timer) {
    heap_.push_back(&timer);
    timer.number = next_number_++;
    timer.place = heap_.size() - 1;
    rise(timer.place);
  }

  void remove(Timer &timer) noexcept {
    const std::size_t place = std::exchange(timer.place, Timer::nowhere);
    Timer *last = heap_.back();
    heap_.pop_back();
    if (last == &timer) return;
    put(place, last);
    rise(place);
    sink(last->place);
  }

  /// Removes the timers due at `now` and returns them as a list, the first deadline first.
  Timer *expire(Clock::time_point now) noexcept {
    Timer *first = nullptr;
    Timer **end = &first;
    while (!heap_.empty() && heap_.front()->deadline <= now) {
      Timer *timer = heap_.front();
      remove(*timer);
      timer->next = nullptr;
      *end = timer;
      end = &timer->next;
    }
    return first;
  }

 private:
  static bool before(const Timer *left, const Timer *right) noexcept {
    return left->deadline != right->deadline ? left->deadline < right->deadline : left->number < right->number;
  }

  void put(std::size_t place, Timer *timer) noexcept {
    heap_[place] = timer;
    timer->place = place;
  }

  void rise(std::size_t place) noexcept {
    Timer *timer = heap_[place];
    for (; place > 0; place = (place - 1) / 2) {
      Timer *parent = heap_[(place - 1) / 2];
      if (!before(timer, parent)) break;
      put(place, parent);
    }
    put(place, timer);
  }

  void sink(std::size_t place) noexcept {
    Timer *timer = heap_[place];
    while (true) {
      std::size_t child = 2 * place + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
      if (!before(heap_[child], timer)) break;
      put(place, heap_[child]);
      place = child;
    }
    put(place, timer);
  }

  /// Each timer's `place` is its index here; no timer comes before its parent.
  std::vector<Timer *> heap_;
  std::uint64_t next_number_ = 0;
};

}  // namespace threadbare::runtime
