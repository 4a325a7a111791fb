#include "faults/transfer_frame_leak.hpp"
#include "subjects/bundled.hpp"

namespace threadbare {

std::unique_ptr<Subject> make_bundled_transfer_frame_leak(SystemsFactory &systems) {
  return std::make_unique<Bundled<fault::TransferFrameLeak>>(systems);
}

}  // namespace threadbare
