// Seeded bug owner-leak-on-throw. A processor was left in the last line of its resume, which a body that threw never
// came to. The thread that had been inside remained the owner for good: every other thread was refused, and no
// error ever said why.
#pragma once

#include "runtime/systems.hpp"

#include <exception>

namespace threadbare::bug {

class LeakedOnThrow : public runtime::Ownership {
 public:
  using Ownership::Ownership;

  void release() noexcept {
    if (std::uncaught_exceptions() == 0) Ownership::release();
  }
};

struct OwnerLeakOnThrow : runtime::CorrectSystems {
  using Processor = runtime::BasicProcessor<LeakedOnThrow>;
};

}  // namespace threadbare::bug
