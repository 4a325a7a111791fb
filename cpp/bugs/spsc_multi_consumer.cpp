#include "bugs/spsc_multi_consumer.hpp"

#include "adapters/bundled/scheduler.hpp"

THREADBARE_RUNTIME(threadbare::BundledAdapter<threadbare::bug::SpscMultiConsumer>)
