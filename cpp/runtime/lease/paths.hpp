// The names of the files of a lease.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace threadbare::runtime {

/// All lie in one directory, as `link` and `rename` ask.
struct LeasePaths {
  /// Throws `std::invalid_argument` if `path` names no file.
  explicit LeasePaths(std::string path)
      : lock(std::move(path)),
        guard(lock + ".guard"),
        directory(lock, 0, lock.rfind('/') + 1),
        name(lock, directory.size()) {
    if (name.empty()) throw std::invalid_argument("a lease needs the path of a file, not \"" + lock + "\"");
  }

  /// There while the lease is held.
  std::string lock;
  /// Always empty, and stays once it is there.
  std::string guard;
  /// With the slash at its end; empty for the current directory.
  std::string directory;
  /// Of the lock, without its directory.
  std::string name;
};

}  // namespace threadbare::runtime
