#include "bugs/registry_callback_under_lock.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::RegistryCallbackUnderLock)
