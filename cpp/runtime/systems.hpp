// The concurrent systems beside the scheduler, each of which can be replaced.
#pragma once

#include "runtime/lease.hpp"

namespace threadbare::runtime {

/// A choice of systems derives from this and redefines the one that it replaces.
struct CorrectSystems {
  using Lease = runtime::Lease;
};

}  // namespace threadbare::runtime
