// Seeded bug lease-stale-unlink. Removing a stale lock was a look at its age and then an unlink. Two agents saw the
// same stale lock; the faster removed it and acquired the lease, the slower then removed the faster one's new
// lock and acquired it too.
#pragma once

#include "runtime/systems.hpp"

namespace threadbare::bug {

struct StaleUnlinkLease : runtime::CorrectLease {
  static constexpr bool is_guarded(runtime::LeaseOperation operation) noexcept {
    return operation != runtime::LeaseOperation::CleanupStale;
  }
};

struct LeaseStaleUnlink : runtime::CorrectSystems {
  using Lease = runtime::BasicLease<StaleUnlinkLease>;
};

}  // namespace threadbare::bug
