#include "bugs/owner_nested_exit.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::OwnerNestedExit)
