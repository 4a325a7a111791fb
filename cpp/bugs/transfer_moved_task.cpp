#include "bugs/transfer_moved_task.hpp"

#include "adapters/bundled/scheduler.hpp"

THREADBARE_RUNTIME(threadbare::BundledAdapter<threadbare::bug::TransferMovedTask>)
