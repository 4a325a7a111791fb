// What can be wrong with who gets which context.
#include "faults/context_captured_main.hpp"
#include "faults/context_pool_reuse.hpp"
#include "faults/context_thread_id_key.hpp"
#include "faults/context_unlocked_check.hpp"
#include "subjects/systems.hpp"

namespace threadbare {

std::unique_ptr<Systems> make_context_captured_main(const ObjectsSpec &spec) {
  return make_systems<fault::ContextCapturedMain>(spec);
}

std::unique_ptr<Systems> make_context_pool_reuse(const ObjectsSpec &spec) {
  return make_systems<fault::ContextPoolReuse>(spec);
}

std::unique_ptr<Systems> make_context_thread_id_key(const ObjectsSpec &spec) {
  return make_systems<fault::ContextThreadIdKey>(spec);
}

std::unique_ptr<Systems> make_context_unlocked_check(const ObjectsSpec &spec) {
  return make_systems<fault::ContextUnlockedCheck>(spec);
}

}  // namespace threadbare
