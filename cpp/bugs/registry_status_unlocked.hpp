// Seeded bug registry-status-unlocked. Every function of the registry took the lock but one: a status only reads, and
// was thought to do no harm. It read arcs while another thread was writing them, or moving them to make room for
// another.
#pragma once

#include "runtime/systems.hpp"

#include <mutex>

namespace threadbare::bug {

struct StatusUnlocked : runtime::RegistryPolicy {
  static Lock status_lock(std::mutex &mutex) noexcept { return Lock(mutex, std::defer_lock); }
};

struct RegistryStatusUnlocked : runtime::CorrectSystems {
  using Registry = runtime::BasicRegistry<StatusUnlocked>;
};

}  // namespace threadbare::bug
