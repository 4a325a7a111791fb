// Seeded bug transfer-frame-leak. The published fix of transfer-moved-task took the handle out of the task and
// nulled the task "to prevent double destruction". Nothing crashed any more, because from then on nobody
// destroyed the frame at all.
#pragma once

#include "runtime/policy.hpp"
#include "runtime/transfer.hpp"

namespace threadbare::bug {

template <class Task>
class LeakyTransfer : public runtime::Transfer<Task> {
 public:
  using runtime::Transfer<Task>::Transfer;
  LeakyTransfer(LeakyTransfer &&) = default;
  ~LeakyTransfer() { this->task_.release(); }
};

struct TransferFrameLeak : runtime::Correct {
  template <class Task>
  using Transfer = LeakyTransfer<Task>;
};

}  // namespace threadbare::bug
