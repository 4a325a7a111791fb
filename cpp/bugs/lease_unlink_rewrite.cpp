#include "bugs/lease_unlink_rewrite.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::LeaseUnlinkRewrite)
