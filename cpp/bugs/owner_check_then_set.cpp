#include "bugs/owner_check_then_set.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::OwnerCheckThenSet)
