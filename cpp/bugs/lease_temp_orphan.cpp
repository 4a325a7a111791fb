#include "bugs/lease_temp_orphan.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::LeaseTempOrphan)
