#include "faults/continuation_early_resume.hpp"
#include "subjects/bundled.hpp"

namespace threadbare {

std::unique_ptr<Subject> make_bundled_continuation_early_resume(SystemsFactory &systems) {
  return std::make_unique<Bundled<fault::ContinuationEarlyResume>>(systems);
}

}  // namespace threadbare
