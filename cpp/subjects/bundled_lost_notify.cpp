#include "faults/lost_notify.hpp"
#include "subjects/bundled.hpp"

namespace threadbare {

std::unique_ptr<Subject> make_bundled_lost_notify(SystemsFactory &systems) {
  return std::make_unique<Bundled<fault::LostNotify>>(systems);
}

}  // namespace threadbare
