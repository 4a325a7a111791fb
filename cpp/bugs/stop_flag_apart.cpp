#include "bugs/stop_flag_apart.hpp"

#include "adapters/bundled/scheduler.hpp"

THREADBARE_RUNTIME(threadbare::BundledAdapter<threadbare::bug::StopFlagApart>)
