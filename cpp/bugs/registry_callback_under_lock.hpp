// Seeded bug registry-callback-under-lock. Callbacks were fired before the lock was given back, so that nobody could
// see a change that had not been announced. The first callback that asked the registry for a status waited for
// itself.
#pragma once

#include "runtime/systems.hpp"

namespace threadbare::bug {

struct CallbackUnderLock : runtime::RegistryPolicy {
  static void before_callback(Lock &) noexcept {}
};

struct RegistryCallbackUnderLock : runtime::CorrectSystems {
  using Registry = runtime::BasicRegistry<CallbackUnderLock>;
};

}  // namespace threadbare::bug
