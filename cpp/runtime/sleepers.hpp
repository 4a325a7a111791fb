// How threads without work sleep, and how producers wake them.
#pragma once

#include "runtime/affinity.hpp"
#include "runtime/timers.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace threadbare::runtime {

/// The threads of a scheduler that sleep. No wake-up is lost, whatever the interleaving:
///
/// - A thread announces itself in `idle_`, then looks at the queues, and sleeps only if they are empty.
/// - A producer pushes, then looks at `idle_`.
///
/// All four are seq_cst, so in their total order either the thread sees the push, or the producer sees the
/// thread. A producer claims the thread that it wakes by taking it out of `idle_`, so a second producer
/// claims another one, or finds that nobody sleeps and goes on without a lock. A thread that is not in
/// `idle_` looks at the queues before it sleeps.
///
/// Producers notify while they hold the mutex: a sleeper cannot return, and the scheduler cannot be
/// destroyed, until they are done with the condition variable.
class Sleepers {
 public:
  /// Wakes one thread for a coroutine of this affinity that has been pushed, if one sleeps that may run it.
  void notify(Affinity affinity) noexcept {
    // Ordering: seq_cst, after the seq_cst store of the push; see above.
    const std::uint32_t idle = idle_.load(std::memory_order_seq_cst);
    if (affinity == Affinity::Main ? (idle & main_bit) == 0 : idle == 0) return;
    const std::lock_guard lock(mutex_);
    wake(affinity);
  }

  /// Wakes the main thread if it sleeps. The caller holds `mutex()`.
  void wake_main() noexcept { wake(Affinity::Main); }

  /// Sleeps until there may be work. `may_sleep()` looks at the queues.
  template <class MaySleep>
  void sleep_worker(MaySleep may_sleep) {
    std::unique_lock lock(mutex_);
    announce(one_worker);
    if (stopped_ || !may_sleep()) return retract(one_worker);
    workers_.wait(lock, [this] { return woken_workers_ > 0 || stopped_; });
    if (woken_workers_ > 0) {
      --woken_workers_;
    } else {
      retract(one_worker);
    }
  }

  /// The same on the main thread, at most until the first deadline of `timers`, which `mutex()` guards.
  template <class MaySleep>
  void sleep_main(const Timers &timers, MaySleep may_sleep) {
    std::unique_lock lock(mutex_);
    announce(main_bit);
    if (may_sleep()) {
      if (timers.empty()) {
        main_.wait(lock, [this] { return main_woken_; });
      } else if (!main_woken_) {
        // Whatever ends the wait, the loop of the main thread looks again.
        main_.wait_until(lock, timers.first_deadline());
      }
    }
    if (main_woken_) {
      main_woken_ = false;
    } else {
      retract(main_bit);
    }
  }

  /// Tells the workers to return.
  void stop() noexcept {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    stopping_.store(true, std::memory_order_relaxed);
    workers_.notify_all();
  }

  // Ordering: relaxed. For a busy worker it only matters that it sees it some time.
  [[nodiscard]] bool stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }

  /// Also guards what must not change between a look and a sleep.
  [[nodiscard]] std::mutex &mutex() noexcept { return mutex_; }

 private:
  static constexpr std::uint32_t main_bit = 1;
  static constexpr std::uint32_t one_worker = 2;

  // Both run under the lock.
  // Ordering: seq_cst, before the look at the queues; see above.
  void announce(std::uint32_t who) noexcept { idle_.store(asleep_ += who, std::memory_order_seq_cst); }
  // Ordering: relaxed; a producer that still sees the old value takes the lock and looks again.
  void retract(std::uint32_t who) noexcept { idle_.store(asleep_ -= who, std::memory_order_relaxed); }

  /// Under the lock. Workers first: the main thread has work of its own that nobody else can do.
  void wake(Affinity affinity) noexcept {
    if (affinity == Affinity::Worker && asleep_ >= one_worker) {
      retract(one_worker);
      ++woken_workers_;
      workers_.notify_one();
    } else if ((asleep_ & main_bit) != 0) {
      retract(main_bit);
      main_woken_ = true;
      main_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable workers_;
  std::condition_variable main_;
  /// `main_bit` if the main thread is about to sleep or sleeps and nobody has claimed it, plus `one_worker`
  /// for every such worker. Written under the lock, under which `asleep_` is the same.
  std::atomic<std::uint32_t> idle_{0};
  std::uint32_t asleep_ = 0;
  /// `stopped_`, for who does not hold the lock.
  std::atomic<bool> stopping_{false};
  /// Workers shall return; under the lock.
  bool stopped_ = false;
  /// Workers claimed that have not noticed yet; under the lock.
  std::uint32_t woken_workers_ = 0;
  /// The main thread has been claimed and has not noticed yet; under the lock.
  bool main_woken_ = false;
};

}  // namespace threadbare::runtime
