#include "bugs/lease_shared_temp.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::LeaseSharedTemp)
