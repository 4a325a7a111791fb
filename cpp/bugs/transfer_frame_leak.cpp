#include "bugs/transfer_frame_leak.hpp"

#include "adapters/bundled/scheduler.hpp"

THREADBARE_RUNTIME(threadbare::BundledAdapter<threadbare::bug::TransferFrameLeak>)
