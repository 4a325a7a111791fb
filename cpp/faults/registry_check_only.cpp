#include "faults/registry_check_only.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::fault::RegistryCheckOnly)
