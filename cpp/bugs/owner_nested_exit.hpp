// Seeded bug owner-nested-exit. The published fix of owner-check-then-set claimed with one compare-and-swap, but had
// every exit release, also that of a resume nested in another. From then on the outer one ran unprotected: a
// second thread entered the running coroutine.
#pragma once

#include "runtime/systems.hpp"

namespace threadbare::bug {

class ReleasedByEveryExit : public runtime::Ownership {
 public:
  using Ownership::Ownership;

  bool claim() {
    static_cast<void>(Ownership::claim());
    return true;
  }
};

struct OwnerNestedExit : runtime::CorrectSystems {
  using Processor = runtime::BasicProcessor<ReleasedByEveryExit>;
};

}  // namespace threadbare::bug
