#include "faults/registry_status_unlocked.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::fault::RegistryStatusUnlocked)
