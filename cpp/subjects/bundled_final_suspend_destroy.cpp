#include "faults/final_suspend_destroy.hpp"
#include "subjects/bundled.hpp"

namespace threadbare {

std::unique_ptr<Subject> make_bundled_final_suspend_destroy(SystemsFactory &systems) {
  return std::make_unique<Bundled<fault::FinalSuspendDestroy>>(systems);
}

}  // namespace threadbare
