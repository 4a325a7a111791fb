// How threads without work sleep, and how producers wake them.
#pragma once

#include "runtime/affinity.hpp"
#include "runtime/semaphore.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace threadbare::runtime {

/// The threads of a scheduler that sleep. No wake-up is lost, whatever the interleaving:
///
/// - A thread announces itself in `idle_`, then looks at the queues, and sleeps only if they are empty.
/// - A producer pushes, then looks at `idle_`.
///
/// All four are seq_cst, so in their total order either the thread sees the push, or the producer sees the
/// thread. A producer claims the thread that it wakes by taking it out of `idle_`, and then releases a semaphore
/// for it, so a second producer claims another one, or finds that nobody sleeps and goes on. A thread that finds
/// work after all takes itself out, unless it has been claimed: then it acquires what is released for it.
///
/// Workers are all alike: `idle_` counts them, and each announcement is met by one withdrawal or one release,
/// whichever worker that is of. So a producer that finds the count at 0 knows that as many workers as were announced
/// by then are awake or about to be, and each announces itself again, and looks, before it sleeps.
///
/// `announce` is the order of an announcement, and only weaker in a seeded bug.
template <std::memory_order announce = std::memory_order_seq_cst>
class BasicSleepers {
 public:
  /// Wakes one thread for a coroutine of this affinity that has been pushed, if one sleeps that may run it.
  /// Workers first: the main thread has work of its own that nobody else can do.
  void notify(Affinity affinity) noexcept {
    // Ordering: seq_cst, after the seq_cst store of the push; see above.
    std::uint32_t idle = idle_.load(std::memory_order_seq_cst);
    if (affinity == Affinity::Worker && claim(idle, one_worker)) {
      workers_.release();
    } else if (claim(idle, main_bit)) {
      main_.release();
    }
  }

  /// Wakes the main thread, if it sleeps, after a seq_cst store that it looks at before it does.
  void wake_main() noexcept { notify(Affinity::Main); }

  /// Sleeps until there may be work, or until `stop`, which the result tells. `may_sleep()` looks at the queues.
  template <class MaySleep>
  [[nodiscard]] bool await_work(MaySleep may_sleep) noexcept {
    // Ordering: seq_cst, before the look at the queues; see above.
    std::uint32_t idle = idle_.fetch_add(one_worker, announce) + one_worker;
    if ((idle & stop_bit) != 0) return false;
    if (may_sleep() || !claim(idle, one_worker)) {
      workers_.acquire();
      return !stopping();
    }
    return (idle & stop_bit) == 0;
  }

  /// The same on the main thread, which is never stopped, and at most until `deadline()`, if there is one. It asks for
  /// that after it has announced itself.
  template <class MaySleep, class Deadline>
  void await_main(MaySleep may_sleep, Deadline deadline) noexcept {
    // Ordering: as above.
    std::uint32_t idle = idle_.fetch_or(main_bit, announce) | main_bit;
    if (may_sleep()) {
      const auto until = deadline();
      if (!until) return main_.acquire();
      if (main_.acquire_until(*until)) return;
    }
    if (!claim(idle, main_bit)) main_.acquire();
  }

  /// Tells so many workers, which is all of them, to return.
  void stop(std::size_t workers) noexcept {
    // Ordering: relaxed. Who sleeps sees it by way of the semaphore, who announces itself since that is a change of the
    // same word.
    idle_.fetch_or(stop_bit, std::memory_order_relaxed);
    while (workers-- > 0) workers_.release();
  }

  // Ordering: relaxed. For a busy worker it only matters that it sees it some time.
  [[nodiscard]] bool stopping() const noexcept { return (idle_.load(std::memory_order_relaxed) & stop_bit) != 0; }

 protected:
  static constexpr std::uint32_t main_bit = 1;
  static constexpr std::uint32_t stop_bit = 2;
  static constexpr std::uint32_t one_worker = 4;

  /// Takes one of those out of `idle_`, which was `idle` last, if there is one.
  bool claim(std::uint32_t &idle, std::uint32_t who) noexcept {
    const std::uint32_t any = who == one_worker ? ~(one_worker - 1) : who;
    while ((idle & any) != 0) {
      // Ordering: relaxed. What was pushed is in the queues, and who sleeps is in the semaphores. A change is always of
      // the latest value, and a failure never gives an earlier one than `idle` was.
      if (idle_.compare_exchange_weak(idle, idle - who, std::memory_order_relaxed)) return true;
    }
    return false;
  }

  /// `main_bit` if the main thread is about to sleep or sleeps and nobody has claimed it, `stop_bit`, plus `one_worker`
  /// for every such worker.
  std::atomic<std::uint32_t> idle_{0};
  Semaphore workers_;
  Semaphore main_;
};

using Sleepers = BasicSleepers<>;

}  // namespace threadbare::runtime
