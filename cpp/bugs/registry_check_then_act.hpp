// Seeded bug registry-check-then-act. A start looked up the pair, made the arc, and stored it, all without a lock.
// Agents that met at once all found no arc: each was told that it had begun one, each fired the callback, and
// the last one overwrote what the others had.
#pragma once

#include "runtime/systems.hpp"

namespace threadbare::bug {

struct CheckThenAct : runtime::RegistryPolicy {
  static runtime::Arc start(Lock &lock, runtime::ArcTable &active, runtime::Pair pair) {
    if (active.find(pair)) throw runtime::ArcExists(pair);
    runtime::Arc arc(runtime::Arc::Clock::now());
    arc.record(runtime::ArcEvent::Started, runtime::Arc::Clock::now());
    active.put(pair, arc);
    lock.lock();
    return arc;
  }
};

struct RegistryCheckThenAct : runtime::CorrectSystems {
  using Registry = runtime::BasicRegistry<CheckThenAct>;
};

}  // namespace threadbare::bug
