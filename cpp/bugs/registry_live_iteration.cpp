#include "bugs/registry_live_iteration.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::RegistryLiveIteration)
