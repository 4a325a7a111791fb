#include "faults/context_pool_reuse.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::fault::ContextPoolReuse)
