// What scenarios are made of: threads, places where they meet, and expectations.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <source_location>
#include <thread>
#include <vector>

namespace threadbare {

/// What a scenario expects, on any thread.
class Expectations {
 public:
  /// Where it holds, this orders nothing and is no scheduling point: it hides no race.
  void operator()(bool held, std::source_location where = std::source_location::current()) noexcept {
    if (held) return;
    std::int64_t none = 0;
    // Ordering: relaxed, since `result` is asked once the threads have been joined.
    first_line_.compare_exchange_strong(none, where.line(), std::memory_order_relaxed);
  }

  /// The line of the first that did not hold; 0 where all did.
  [[nodiscard]] std::int64_t result() const noexcept { return first_line_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> first_line_{0};
};

/// Runs `body(0)` to `body(count - 1)`, each on a thread of its own, and joins them.
template <class Body>
void on_threads(unsigned count, const Body &body) {
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; ++i) threads.emplace_back([&body, i] { body(i); });
  for (std::thread &thread : threads) thread.join();
}

/// Where `count` threads wait for each other, as often as they like. What each did before is ordered before what
/// any does after.
class Meeting {
 public:
  explicit Meeting(unsigned count) noexcept : count_(count) {}

  void wait() {
    std::unique_lock lock(mutex_);
    const unsigned round = arrive();
    met_.wait(lock, [&] { return round_ != round; });
  }

  /// Counts as having come, and does not wait.
  void pass_by() {
    const std::lock_guard lock(mutex_);
    arrive();
  }

 private:
  unsigned arrive() {
    const unsigned round = round_;
    if (++here_ == count_) {
      here_ = 0;
      ++round_;
      met_.notify_all();
    }
    return round;
  }

  const unsigned count_;
  std::mutex mutex_;
  std::condition_variable met_;
  unsigned here_ = 0;
  unsigned round_ = 0;
};

}  // namespace threadbare
