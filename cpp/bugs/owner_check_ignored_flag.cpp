#include "bugs/owner_check_ignored_flag.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::OwnerCheckIgnoredFlag)
