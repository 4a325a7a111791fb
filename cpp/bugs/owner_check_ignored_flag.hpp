// Seeded bug owner-check-ignored-flag. The published fix of owner-check-then-set claimed before it looked at the
// flag that switches access checks off. Programs that took care of exclusion themselves, and handed a running
// processor from thread to thread, were refused all of a sudden.
#pragma once

#include "runtime/systems.hpp"

namespace threadbare::bug {

class CheckedAlways : public runtime::Ownership {
 public:
  explicit CheckedAlways(runtime::AccessChecks) noexcept : Ownership(runtime::AccessChecks::On) {}
};

struct OwnerCheckIgnoredFlag : runtime::CorrectSystems {
  using Processor = runtime::BasicProcessor<CheckedAlways>;
};

}  // namespace threadbare::bug
