// Seeded bug push-release. A push published its item with a release store, which is all that the item needs. The
// producer then looked at who sleeps while its store was still on the way: it saw nobody, the thread that went to sleep
// saw nothing in the queue, and nobody was woken.
#pragma once

#include "runtime/policy.hpp"

#include <atomic>

namespace threadbare::bug {

struct PushRelease : runtime::Correct {
  template <class Item>
  using Queue = runtime::LockFreeQueue<Item, std::memory_order_release>;
};

}  // namespace threadbare::bug
