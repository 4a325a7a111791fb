#include "bugs/owner_leak_on_throw.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::OwnerLeakOnThrow)
