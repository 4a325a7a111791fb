// Seeded bug announce-unfenced. A thread announced that it is about to sleep by a relaxed change, and no fence
// followed: it looked at the queues before its announcement reached anyone. As a locked instruction of x86 is a fence,
// it never showed there.
#pragma once

#include "runtime/policy.hpp"

#include <atomic>

namespace threadbare::bug {

struct AnnounceUnfenced : runtime::Correct {
  using Sleepers = runtime::BasicSleepers<std::memory_order_relaxed>;
};

}  // namespace threadbare::bug
