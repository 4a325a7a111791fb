// Seeded bug context-captured-main. An engine took the thread that made it for the main thread, and remembered its
// id. An engine made on a worker gave that worker the one cached context, which the real main thread was using
// as well, through an engine of its own.
#pragma once

#include "runtime/systems.hpp"

#include <thread>

namespace threadbare::bug {

class CapturedMain : public runtime::ContextStore {
 public:
  using ContextStore::ContextStore;

  [[nodiscard]] runtime::Context *shared() const noexcept {
    return std::this_thread::get_id() == main_ ? &cache_.main_context() : nullptr;
  }

 private:
  const std::thread::id main_ = std::this_thread::get_id();
};

struct ContextCapturedMain : runtime::CorrectSystems {
  using Engine = runtime::BasicEngine<CapturedMain>;
};

}  // namespace threadbare::bug
