#include "faults/owner_leak_on_throw.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::fault::OwnerLeakOnThrow)
