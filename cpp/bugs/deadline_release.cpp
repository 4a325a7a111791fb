#include "bugs/deadline_release.hpp"

#include "adapters/bundled/scheduler.hpp"

THREADBARE_RUNTIME(threadbare::BundledAdapter<threadbare::bug::DeadlineRelease>)
