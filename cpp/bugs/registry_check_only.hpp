// Seeded bug registry-check-only. The first fix proposed for registry-check-then-act was to check again once the arc
// had been made, still without a lock. That left a window of one reading of the clock: it went wrong less often,
// and was taken for repaired.
#pragma once

#include "runtime/systems.hpp"

namespace threadbare::bug {

struct CheckOnly : runtime::RegistryPolicy {
  static runtime::Arc start(Lock &lock, runtime::ArcTable &active, runtime::Pair pair) {
    if (active.find(pair)) throw runtime::ArcExists(pair);
    runtime::Arc arc(runtime::Arc::Clock::now());
    if (active.find(pair)) throw runtime::ArcExists(pair);
    arc.record(runtime::ArcEvent::Started, runtime::Arc::Clock::now());
    active.put(pair, arc);
    lock.lock();
    return arc;
  }
};

struct RegistryCheckOnly : runtime::CorrectSystems {
  using Registry = runtime::BasicRegistry<CheckOnly>;
};

}  // namespace threadbare::bug
