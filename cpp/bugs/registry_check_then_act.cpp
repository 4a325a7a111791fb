#include "bugs/registry_check_then_act.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::RegistryCheckThenAct)
