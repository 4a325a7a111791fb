#include "faults/transfer_moved_task.hpp"
#include "subjects/bundled.hpp"

namespace threadbare {

std::unique_ptr<Subject> make_bundled_transfer_moved_task(SystemsFactory &systems) {
  return std::make_unique<Bundled<fault::TransferMovedTask>>(systems);
}

}  // namespace threadbare
