#include "bugs/context_pool_reuse.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::ContextPoolReuse)
