#include "subjects/bundled.hpp"

namespace threadbare {

std::unique_ptr<Subject> make_bundled_correct(SystemsFactory &systems) {
  return std::make_unique<Bundled<runtime::Correct>>(systems);
}

}  // namespace threadbare
