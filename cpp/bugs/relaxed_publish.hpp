// Seeded bug relaxed-publish. The end of a task was published without release, on a machine where that made no
// difference: whoever joined it saw that it had ended, and read a result that it was not yet entitled to.
#pragma once

#include "runtime/policy.hpp"

#include <atomic>

namespace threadbare::bug {

struct RelaxedPublish : runtime::Correct {
  /// Acquire only: the store is relaxed.
  static constexpr std::memory_order publish = std::memory_order_acquire;
};

}  // namespace threadbare::bug
