// Seeded bug deadline-release. A task that goes to sleep published the first deadline with a release store, and then
// looked whether the main thread has to be woken for it. The main thread, which had just announced that it sleeps, had
// not seen the deadline, and slept without one.
#pragma once

#include "runtime/policy.hpp"

#include <atomic>

namespace threadbare::bug {

struct DeadlineRelease : runtime::Correct {
  static constexpr std::memory_order deadline = std::memory_order_release;
};

}  // namespace threadbare::bug
