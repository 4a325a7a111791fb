#include "faults/owner_nested_exit.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::fault::OwnerNestedExit)
