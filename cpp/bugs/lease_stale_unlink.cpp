#include "bugs/lease_stale_unlink.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::LeaseStaleUnlink)
