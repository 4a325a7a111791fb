// Seeded bug context-thread-id-key. Contexts were kept in a map by the id of their thread, and nothing was ever taken
// out. A thread's second branch found what its first had left, a new thread with the id of a dead one found what
// the dead one had left, and the map grew for as long as the process lived.
#pragma once

#include "runtime/systems.hpp"

#include <map>
#include <mutex>
#include <thread>

namespace threadbare::bug {

class KeyedByThreadId : public runtime::ContextStore {
 public:
  using ContextStore::ContextStore;

  runtime::Context *shared() {
    if (runtime::MainThread::is_current()) return &cache_.main_context();
    const std::lock_guard lock(mutex_);
    return &contexts_.try_emplace(std::this_thread::get_id(), cache_).first->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::thread::id, runtime::Context> contexts_;
};

struct ContextThreadIdKey : runtime::CorrectSystems {
  using Engine = runtime::BasicEngine<KeyedByThreadId>;
};

}  // namespace threadbare::bug
