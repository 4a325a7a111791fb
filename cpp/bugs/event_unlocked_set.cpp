#include "bugs/event_unlocked_set.hpp"

#include "adapters/bundled/scheduler.hpp"

THREADBARE_RUNTIME(threadbare::BundledAdapter<threadbare::bug::EventUnlockedSet>)
