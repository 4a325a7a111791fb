// Seeded bug stop-flag-apart. That the workers are to stop stood in a flag of its own, and only those that slept by the
// count were woken for it. A worker that announced itself meanwhile was not counted yet, did not see the flag, and
// slept for ever, while the main thread waited for its end.
#pragma once

#include "runtime/policy.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace threadbare::bug {

class FlaggedSleepers : public runtime::Sleepers {
 public:
  template <class MaySleep>
  [[nodiscard]] bool await_work(MaySleep may_sleep) noexcept {
    // Ordering: seq_cst, as in `runtime::Sleepers`.
    std::uint32_t idle = idle_.fetch_add(one_worker, std::memory_order_seq_cst) + one_worker;
    if ((!stopping() && may_sleep()) || !claim(idle, one_worker)) workers_.acquire();
    return !stopping();
  }

  void stop(std::size_t) noexcept {
    // Ordering: release and acquire. The bug is that they let the look at who sleeps come before the store.
    stopping_.store(true, std::memory_order_release);
    std::uint32_t idle = idle_.load(std::memory_order_acquire);
    while (claim(idle, one_worker)) workers_.release();
  }

  [[nodiscard]] bool stopping() const noexcept { return stopping_.load(std::memory_order_acquire); }

 private:
  std::atomic<bool> stopping_{false};
};

struct StopFlagApart : runtime::Correct {
  using Sleepers = FlaggedSleepers;
};

}  // namespace threadbare::bug
