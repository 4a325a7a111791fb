// What can be wrong with a registry of arcs.
#include "faults/registry_callback_under_lock.hpp"
#include "faults/registry_check_only.hpp"
#include "faults/registry_check_then_act.hpp"
#include "faults/registry_live_iteration.hpp"
#include "faults/registry_status_unlocked.hpp"
#include "subjects/systems.hpp"

namespace threadbare {

std::unique_ptr<Systems> make_registry_callback_under_lock(const ObjectsSpec &spec) {
  return make_systems<fault::RegistryCallbackUnderLock>(spec);
}

std::unique_ptr<Systems> make_registry_check_only(const ObjectsSpec &spec) {
  return make_systems<fault::RegistryCheckOnly>(spec);
}

std::unique_ptr<Systems> make_registry_check_then_act(const ObjectsSpec &spec) {
  return make_systems<fault::RegistryCheckThenAct>(spec);
}

std::unique_ptr<Systems> make_registry_live_iteration(const ObjectsSpec &spec) {
  return make_systems<fault::RegistryLiveIteration>(spec);
}

std::unique_ptr<Systems> make_registry_status_unlocked(const ObjectsSpec &spec) {
  return make_systems<fault::RegistryStatusUnlocked>(spec);
}

}  // namespace threadbare
