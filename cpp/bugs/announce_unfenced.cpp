#include "bugs/announce_unfenced.hpp"

#include "adapters/bundled/scheduler.hpp"

THREADBARE_RUNTIME(threadbare::BundledAdapter<threadbare::bug::AnnounceUnfenced>)
