#include "faults/relaxed_publish.hpp"
#include "subjects/bundled.hpp"

namespace threadbare {

std::unique_ptr<Subject> make_bundled_relaxed_publish(SystemsFactory &systems) {
  return std::make_unique<Bundled<fault::RelaxedPublish>>(systems);
}

}  // namespace threadbare
