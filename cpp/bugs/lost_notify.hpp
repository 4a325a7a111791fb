// Seeded bug lost-notify. A thread looked at its queue, found nothing, and only then announced that it goes to sleep. A
// producer that pushed in between saw nobody asleep and woke nobody: the scheduler stood still with a task in its queue.
#pragma once

#include "runtime/policy.hpp"

namespace threadbare::bug {

struct LostNotify : runtime::Correct {
  /// The queue was looked at already, before the announcement.
  template <class IsEmpty>
  static bool may_sleep(IsEmpty) noexcept {
    return true;
  }
};

}  // namespace threadbare::bug
