// Seeded bug lease-release-foreign. Release removed the lock file without a look at whose it was. An agent that had
// lost its lease as stale released it late, and removed the lock of the one that had acquired it since: a third
// agent could acquire what the second still held.
#pragma once

#include "runtime/systems.hpp"

#include <cstdint>

namespace threadbare::bug {

struct ReleaseForeignLease : runtime::CorrectLease {
  static bool may_release(const runtime::LeaseRecord &, std::uint32_t) noexcept { return true; }
};

struct LeaseReleaseForeign : runtime::CorrectSystems {
  using Lease = runtime::BasicLease<ReleaseForeignLease>;
};

}  // namespace threadbare::bug
