#include "subjects/systems.hpp"

namespace threadbare {

std::unique_ptr<Systems> make_correct_systems(const ObjectsSpec &spec) {
  return make_systems<runtime::CorrectSystems>(spec);
}

}  // namespace threadbare
