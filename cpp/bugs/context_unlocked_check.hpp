// Seeded bug context-unlocked-check. The published fix of context-captured-main asked each thread once whether it is
// the main one, and kept the answers in a map. They were added under a lock, but looked up without it, while
// another thread's answer might just be moving the buckets.
#pragma once

#include "runtime/systems.hpp"

#include <mutex>
#include <thread>
#include <unordered_map>

namespace threadbare::bug {

class LookedUpUnlocked : public runtime::ContextStore {
 public:
  using ContextStore::ContextStore;

  runtime::Context *shared() { return is_main() ? &cache_.main_context() : nullptr; }

 private:
  bool is_main() {
    const std::thread::id self = std::this_thread::get_id();
    const auto known = is_main_.find(self);
    if (known != is_main_.end()) return known->second;
    const std::lock_guard lock(mutex_);
    return is_main_.emplace(self, runtime::MainThread::is_current()).first->second;
  }

  std::mutex mutex_;
  std::unordered_map<std::thread::id, bool> is_main_;
};

struct ContextUnlockedCheck : runtime::CorrectSystems {
  using Engine = runtime::BasicEngine<LookedUpUnlocked>;
};

}  // namespace threadbare::bug
