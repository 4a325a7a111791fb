// Seeded bug lease-shared-temp. Writing a temporary file and renaming it over the lock was the fix, but every
// refresh used the same temporary name, and the rename was thought to be all the exclusion that is needed: one
// renamed what another was still writing, and the other found nothing to rename.
#pragma once

#include "runtime/lease/descriptor.hpp"
#include "runtime/systems.hpp"

#include <fcntl.h>

#include <string>
#include <string_view>
#include <utility>

namespace threadbare::bug {

class SharedTemporaryFile : public runtime::TemporaryFile {
 public:
  SharedTemporaryFile(const runtime::LeasePaths &paths, std::string_view text)
      : TemporaryFile(paths, create_shared(paths), text) {}

 private:
  static Created create_shared(const runtime::LeasePaths &paths) {
    std::string path = paths.lock + ".tmp";
    auto file = runtime::Descriptor::open(path, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.is_open()) runtime::throw_errno("open", path);
    return {std::move(path), std::move(file)};
  }
};

struct SharedTempLease : runtime::CorrectLease {
  using Temporary = SharedTemporaryFile;
  static constexpr bool is_guarded(runtime::LeaseOperation) noexcept { return false; }
};

struct LeaseSharedTemp : runtime::CorrectSystems {
  using Lease = runtime::BasicLease<SharedTempLease>;
};

}  // namespace threadbare::bug
