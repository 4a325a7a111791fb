#include "bugs/continuation_early_resume.hpp"

#include "adapters/bundled/scheduler.hpp"

THREADBARE_RUNTIME(threadbare::BundledAdapter<threadbare::bug::ContinuationEarlyResume>)
