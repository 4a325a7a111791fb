#include "faults/spsc_multi_consumer.hpp"
#include "subjects/bundled.hpp"

namespace threadbare {

std::unique_ptr<Subject> make_bundled_spsc_multi_consumer(SystemsFactory &systems) {
  return std::make_unique<Bundled<fault::SpscMultiConsumer>>(systems);
}

}  // namespace threadbare
