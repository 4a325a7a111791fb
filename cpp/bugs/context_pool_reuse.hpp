// Seeded bug context-pool-reuse. A worker's context was thread_local, made by its first branch, in the belief that
// the end of the branch is the end of the thread. It is not in a pool: the next branch on that thread started
// with the variables of the one before.
#pragma once

#include "runtime/systems.hpp"

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>

namespace threadbare::bug {

class KeptByThread : public runtime::ContextStore {
 public:
  using ContextStore::ContextStore;

  runtime::Context *shared() {
    if (runtime::MainThread::is_current()) return &cache_.main_context();
    if (kept_.number != number_) {
      const std::lock_guard lock(mutex_);
      kept_ = {number_, &contexts_.emplace_back(cache_)};
    }
    return kept_.context;
  }

 private:
  struct Kept {
    std::uint64_t number;
    runtime::Context *context;
  };

  // Ordering: relaxed, the numbers only have to differ.
  static inline std::atomic<std::uint64_t> numbers_{0};
  static constinit inline thread_local Kept kept_{};

  /// No store ever has the same, so that what a thread kept from an earlier one is not used.
  const std::uint64_t number_ = numbers_.fetch_add(1, std::memory_order_relaxed) + 1;
  std::mutex mutex_;
  /// Lifetime: the store's, as a thread of a pool may outlive the cache that counts them.
  std::list<runtime::Context> contexts_;
};

struct ContextPoolReuse : runtime::CorrectSystems {
  using Engine = runtime::BasicEngine<KeptByThread>;
};

}  // namespace threadbare::bug
