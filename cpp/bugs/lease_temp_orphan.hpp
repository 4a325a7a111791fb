// Seeded bug lease-temp-orphan. The temporary file counted as gone once its rename was asked for. Where the rename
// failed, it stayed, and as nothing ever looked for what others had left, so did every one after it until the
// directory was full of them.
#pragma once

#include "runtime/systems.hpp"

namespace threadbare::bug {

class OrphanedTemporaryFile : public runtime::TemporaryFile {
 public:
  using TemporaryFile::TemporaryFile;

  void replace_lock() {
    forget_name();
    TemporaryFile::replace_lock();
  }
};

struct TempOrphanLease : runtime::CorrectLease {
  using Temporary = OrphanedTemporaryFile;
  static void sweep(const runtime::LeasePaths &) noexcept {}
};

struct LeaseTempOrphan : runtime::CorrectSystems {
  using Lease = runtime::BasicLease<TempOrphanLease>;
};

}  // namespace threadbare::bug
