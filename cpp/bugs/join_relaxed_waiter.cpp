#include "bugs/join_relaxed_waiter.hpp"

#include "adapters/bundled/scheduler.hpp"

THREADBARE_RUNTIME(threadbare::BundledAdapter<threadbare::bug::JoinRelaxedWaiter>)
