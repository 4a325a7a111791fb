// Who may change the files of a lease: one operation at a time, of all threads of all processes.
#pragma once

#include "runtime/lease/descriptor.hpp"
#include "runtime/lease/paths.hpp"

#include <fcntl.h>
#include <sys/file.h>

namespace threadbare::runtime {

/// Holds the guard file's `flock`. Each guard opens the file anew, so threads of one process exclude each other
/// as processes do; the system frees it where a process dies.
class LeaseGuard {
 public:
  /// Blocks the thread while another holds it. Throws `std::system_error`.
  explicit LeaseGuard(const LeasePaths &paths) : file_(Descriptor::open(paths.guard, O_RDONLY | O_CREAT)) {
    if (!file_.is_open()) throw_errno("open", paths.guard);
    if (uninterrupted([this] { return ::flock(file_.number(), LOCK_EX); }) != 0) throw_errno("flock", paths.guard);
  }

  LeaseGuard(LeaseGuard &&) noexcept = default;
  LeaseGuard &operator=(LeaseGuard &&) = delete;
  ~LeaseGuard() {
    // Closing alone would leave it locked as long as a process forked meanwhile has a copy of the descriptor.
    if (file_.is_open()) ::flock(file_.number(), LOCK_UN);
  }

 private:
  Descriptor file_;
};

}  // namespace threadbare::runtime
