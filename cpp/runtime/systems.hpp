// The systems that stand beside the scheduler, and the right choice for each.
#pragma once

#include "runtime/context.hpp"
#include "runtime/lease.hpp"
#include "runtime/ownership.hpp"
#include "runtime/registry.hpp"

namespace threadbare::runtime {

/// A policy derives from this and redefines what it does differently.
struct CorrectSystems {
  using Processor = runtime::Processor;
  using Engine = runtime::Engine;
  using Registry = runtime::Registry;
  using Lease = runtime::Lease;
};

}  // namespace threadbare::runtime
