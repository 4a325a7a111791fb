#include "faults/lease_shared_temp.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::fault::LeaseSharedTemp)
