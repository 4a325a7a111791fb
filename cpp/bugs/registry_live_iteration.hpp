// Seeded bug registry-live-iteration. `process_all` walked the registry's own table, without the lock, so that its
// visitor could call in. A visitor that ended an arc made the walk skip the next one; one that started an arc,
// or another thread that did, left it walking freed memory.
#pragma once

#include "runtime/systems.hpp"

#include <mutex>

namespace threadbare::bug {

struct LiveIteration : runtime::RegistryPolicy {
  static const runtime::ArcTable &arcs_to_visit(std::mutex &, const runtime::ArcTable &active) { return active; }
};

struct RegistryLiveIteration : runtime::CorrectSystems {
  using Registry = runtime::BasicRegistry<LiveIteration>;
};

}  // namespace threadbare::bug
