#include "bugs/context_captured_main.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::ContextCapturedMain)
