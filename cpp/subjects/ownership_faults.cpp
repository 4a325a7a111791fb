// What can be wrong with who enters a processor.
#include "faults/owner_check_ignored_flag.hpp"
#include "faults/owner_check_then_set.hpp"
#include "faults/owner_leak_on_throw.hpp"
#include "faults/owner_nested_exit.hpp"
#include "subjects/systems.hpp"

namespace threadbare {

std::unique_ptr<Systems> make_owner_check_ignored_flag(const ObjectsSpec &spec) {
  return make_systems<fault::OwnerCheckIgnoredFlag>(spec);
}

std::unique_ptr<Systems> make_owner_check_then_set(const ObjectsSpec &spec) {
  return make_systems<fault::OwnerCheckThenSet>(spec);
}

std::unique_ptr<Systems> make_owner_leak_on_throw(const ObjectsSpec &spec) {
  return make_systems<fault::OwnerLeakOnThrow>(spec);
}

std::unique_ptr<Systems> make_owner_nested_exit(const ObjectsSpec &spec) {
  return make_systems<fault::OwnerNestedExit>(spec);
}

}  // namespace threadbare
