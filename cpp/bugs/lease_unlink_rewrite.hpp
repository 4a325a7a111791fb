// Seeded bug lease-unlink-rewrite. A refresh unlinked the lock file and then wrote it anew. Another agent that came
// by in between found no lock and acquired it, and then the refresh wrote over its file: both went on as the
// owner.
#pragma once

#include "runtime/lease/descriptor.hpp"
#include "runtime/systems.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace threadbare::bug {

struct UnlinkRewriteLease : runtime::CorrectLease {
  static constexpr bool is_guarded(runtime::LeaseOperation operation) noexcept {
    return operation != runtime::LeaseOperation::Refresh;
  }

  template <class>
  static void publish(const runtime::LeasePaths &paths, const runtime::LeaseRecord &record) {
    const std::string text = record.text();
    runtime::LockFile::remove(paths);
    const auto file = runtime::Descriptor::open(paths.lock, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.is_open()) runtime::throw_errno("open", paths.lock);
    for (std::string_view rest = text; !rest.empty();) {
      const ssize_t count = runtime::uninterrupted([&] { return ::write(file.number(), rest.data(), rest.size()); });
      if (count < 0) runtime::throw_errno("write", paths.lock);
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
  }
};

struct LeaseUnlinkRewrite : runtime::CorrectSystems {
  using Lease = runtime::BasicLease<UnlinkRewriteLease>;
};

}  // namespace threadbare::bug
