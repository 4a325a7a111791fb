#include "bugs/context_unlocked_check.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::ContextUnlockedCheck)
