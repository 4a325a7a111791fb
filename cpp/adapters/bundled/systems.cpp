#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::runtime::CorrectSystems)
