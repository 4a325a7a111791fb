#include "faults/lease_unlink_rewrite.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::fault::LeaseUnlinkRewrite)
