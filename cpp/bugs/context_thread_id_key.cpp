#include "bugs/context_thread_id_key.hpp"

#include "adapters/bundled/systems.hpp"

THREADBARE_SYSTEMS(threadbare::bug::ContextThreadIdKey)
