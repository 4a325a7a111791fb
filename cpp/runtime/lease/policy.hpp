// The parts of a lease that can be replaced, and the right choice for each.
#pragma once

#include "runtime/lease/paths.hpp"
#include "runtime/lease/record.hpp"
#include "runtime/lease/temporary_file.hpp"

#include <cstdint>

namespace threadbare::runtime {

enum class LeaseOperation { Acquire, Refresh, Release, CleanupStale };

/// A policy derives from this and redefines what it does differently.
struct CorrectLease {
  /// Becomes the lock; see temporary_file.hpp for what is asked of it.
  using Temporary = TemporaryFile;

  /// Whether an operation keeps all others of the same lease out. What it read is true until it acts on it only
  /// if it does.
  static constexpr bool is_guarded(LeaseOperation) noexcept { return true; }

  /// Done first by each operation that is guarded.
  static void sweep(const LeasePaths &paths) { sweep_temporary_files(paths); }

  /// Puts a refreshed record in place of the one there is. Throws `std::system_error`, and then the old one stays.
  template <class Temporary>
  static void publish(const LeasePaths &paths, const LeaseRecord &record) {
    Temporary(paths, record.text()).replace_lock();
  }

  /// Whether `agent` may release what is held as `record` says.
  static bool may_release(const LeaseRecord &record, std::uint32_t agent) noexcept { return record.agent == agent; }
};

}  // namespace threadbare::runtime
