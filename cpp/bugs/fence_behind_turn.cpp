#include "bugs/fence_behind_turn.hpp"

#include "adapters/bundled/scheduler.hpp"

THREADBARE_RUNTIME(threadbare::BundledAdapter<threadbare::bug::FenceBehindTurn>)
