#include "bugs/registry_status_unlocked.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::RegistryStatusUnlocked)
