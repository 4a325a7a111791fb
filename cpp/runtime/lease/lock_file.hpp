// Reading and removing the lock file. The file behind its name never changes while it has the name: it is whole
// for any reader, guard or not.
#pragma once

#include "runtime/lease/descriptor.hpp"
#include "runtime/lease/paths.hpp"
#include "runtime/lease/record.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string_view>

namespace threadbare::runtime {

struct LockFile {
  /// A file that is there and says nothing is corrupt.
  bool present = false;
  std::optional<LeaseRecord> record;

  /// Throws `std::system_error`.
  [[nodiscard]] static LockFile read(const LeasePaths &paths) {
    const Descriptor file = Descriptor::open(paths.lock, O_RDONLY);
    if (!file.is_open()) {
      if (errno == ENOENT) return {};
      throw_errno("open", paths.lock);
    }
    // One more, to tell a record from what begins like one.
    char buffer[LeaseRecord::longest_text + 1];
    std::size_t size = 0;
    while (size < sizeof buffer) {
      const ssize_t count =
          uninterrupted([&] { return ::read(file.number(), buffer + size, sizeof buffer - size); });
      if (count < 0) throw_errno("read", paths.lock);
      if (count == 0) break;
      size += static_cast<std::size_t>(count);
    }
    return {true, LeaseRecord::parse(std::string_view(buffer, size))};
  }

  /// Whether it was there. Throws `std::system_error`, and then it still is.
  static bool remove(const LeasePaths &paths) {
    if (::unlink(paths.lock.c_str()) == 0) return true;
    if (errno == ENOENT) return false;
    throw_errno("unlink", paths.lock);
  }
};

}  // namespace threadbare::runtime
