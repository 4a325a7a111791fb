// The policies that differ from `Correct` in their queues only.
#pragma once

#include "runtime/policy.hpp"
#include "runtime/queue/moodycamel_queue.hpp"
#include "runtime/queue/mutex_queue.hpp"

namespace threadbare::runtime {

/// The plainest queues there are, to compare others with.
struct MutexQueues : Correct {
  template <class Item>
  using Queue = MutexQueue<Item>;
};

#if THREADBARE_HAS_MOODYCAMEL
/// `moodycamel::ConcurrentQueue`, where its header is installed.
struct MoodycamelQueues : Correct {
  template <class Item>
  using Queue = MoodycamelQueue<Item>;
};
#endif

}  // namespace threadbare::runtime
