#include "bugs/lease_release_foreign.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::LeaseReleaseForeign)
