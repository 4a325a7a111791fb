#include "bugs/registry_check_only.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::RegistryCheckOnly)
