#include "bugs/final_suspend_destroy.hpp"

#include "adapters/bundled/scheduler.hpp"

THREADBARE_RUNTIME(threadbare::BundledAdapter<threadbare::bug::FinalSuspendDestroy>)
