// Seeded bug owner-check-then-set. A processor remembered which thread was inside: a thread that came in looked
// whether there was one, and wrote its own id if there was none. Of four threads that came at once, two, three
// or all four found nobody there, and ran the same coroutine.
#pragma once

#include "runtime/systems.hpp"

#include <atomic>
#include <thread>

namespace threadbare::bug {

class CheckedThenSet : public runtime::Ownership {
 public:
  using Ownership::Ownership;

  bool claim() {
    if (checks_ == runtime::AccessChecks::Off) return false;
    const std::thread::id self = std::this_thread::get_id();
    // Ordering: as in `runtime::Ownership`; the bug is that these are two operations.
    const std::thread::id owner = owner_.load(std::memory_order_acquire);
    if (owner == self) return false;
    if (owner != std::thread::id()) throw runtime::NotOwner(owner);
    owner_.store(self, std::memory_order_relaxed);
    return true;
  }
};

struct OwnerCheckThenSet : runtime::CorrectSystems {
  using Processor = runtime::BasicProcessor<CheckedThenSet>;
};

}  // namespace threadbare::bug
