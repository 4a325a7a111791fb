// Fault owner-check-ignored-flag. The published fix of owner-check-then-set claimed before it looked at the
// flag that switches access checks off, while the exit still looked first, and released nothing. Programs that took
// care of exclusion themselves, and handed a processor from thread to thread, were refused all of a sudden.
#pragma once

#include "runtime/systems.hpp"

namespace threadbare::fault {

class CheckedAlways : public runtime::Ownership {
 public:
  explicit CheckedAlways(runtime::AccessChecks checks) noexcept
      : Ownership(runtime::AccessChecks::On), asked_for_(checks) {}

  void release() noexcept {
    if (asked_for_ == runtime::AccessChecks::On) Ownership::release();
  }

 private:
  const runtime::AccessChecks asked_for_;
};

struct OwnerCheckIgnoredFlag : runtime::CorrectSystems {
  using Processor = runtime::BasicProcessor<CheckedAlways>;
};

}  // namespace threadbare::fault
