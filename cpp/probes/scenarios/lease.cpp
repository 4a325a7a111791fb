// Locks that live in files, in the directory of the execution.
#include "bugs/lease_shared_temp.hpp"
#include "bugs/lease_unlink_rewrite.hpp"
#include "harness/directory.hpp"
#include "probes/scenarios/scenario.hpp"
#include "probes/scenarios/threads.hpp"
#include "runtime/systems.hpp"

#include <dirent.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <system_error>

namespace threadbare {

namespace {

using runtime::CorrectSystems;
using runtime::LeasePaths;
using runtime::LeaseRecord;
using runtime::LockFile;
using Names = std::set<std::string>;

/// The files of a scenario, which are removed at its end.
class Files {
 public:
  Files() = default;
  Files(const Files &) = delete;
  Files &operator=(const Files &) = delete;
  ~Files() {
    for (const std::string &name : names()) ::unlink(path(name).c_str());
  }

  [[nodiscard]] std::string path(const std::string &name) const { return directory_ + "/" + name; }

  [[nodiscard]] Names names() const {
    struct Close {
      void operator()(DIR *directory) const noexcept { ::closedir(directory); }
    };
    Names found;
    const std::unique_ptr<DIR, Close> directory(::opendir(directory_.c_str()));
    if (!directory) return found;
    while (const dirent *entry = ::readdir(directory.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") found.insert(name);
    }
    return found;
  }

 private:
  const std::string directory_ = threadbare_directory();
};

/// What `operation` gives; where it throws, the files fail it.
template <class Operation>
bool succeeds(const Operation &operation) {
  try {
    return operation();
  } catch (const std::system_error &) {
    return false;
  }
}

constexpr std::uint32_t agent = 7;

Names held() { return {"lock", "lock.guard"}; }

/// 50 threads refresh one lock: all succeed.
template <class Systems>
std::int64_t fifty_refresh() {
  using Lease = typename Systems::Lease;
  Expectations expect;
  const Files files;
  Lease lease(files.path("lock"));
  expect(lease.acquire(agent));
  // Each by an object of its own, as separate parts of a program would.
  on_threads(50, [&](unsigned) { expect(succeeds([&] { return Lease(files.path("lock")).refresh(agent); })); });
  expect(lease.holder() == agent);
  expect(files.names() == held());
  return expect.result();
}

/// One agent refreshes while another tries to acquire: all refreshes succeed, and no acquisition.
template <class Systems>
std::int64_t refresh_and_acquire() {
  constexpr int rounds = 10;
  Expectations expect;
  const Files files;
  typename Systems::Lease lease(files.path("lock"));
  expect(lease.acquire(agent));
  on_threads(2, [&](unsigned i) {
    for (int round = 0; round < rounds; ++round) {
      if (i == 0) {
        expect(succeeds([&] { return lease.refresh(agent); }));
      } else {
        expect(!succeeds([&] { return lease.acquire(agent + 1); }));
      }
    }
  });
  expect(lease.holder() == agent);
  expect(files.names() == held());
  return expect.result();
}

/// 10 agents on 10 files: all succeed, and no lease takes another's files for its own.
template <class Systems>
std::int64_t ten_agents() {
  constexpr unsigned count = 10;
  Expectations expect;
  const Files files;
  on_threads(count, [&](unsigned i) {
    std::string name = "lock";
    // Each name begins with the one before.
    for (unsigned part = 0; part < i; ++part) name += ".1";
    typename Systems::Lease lease(files.path(name));
    expect(succeeds([&] { return lease.acquire(i); }));
    expect(succeeds([&] { return lease.refresh(i); }));
    expect(succeeds([&] { return lease.holder() == i; }));
    expect(succeeds([&] { return lease.release(i); }));
  });
  // The guards.
  expect(files.names().size() == count);
  return expect.result();
}

/// 100 refreshes, of 2 threads, leave no temporary file.
template <class Systems>
std::int64_t hundred_refreshes() {
  Expectations expect;
  const Files files;
  typename Systems::Lease lease(files.path("lock"));
  expect(lease.acquire(agent));
  on_threads(2, [&](unsigned) {
    for (int round = 0; round < 50; ++round) expect(succeeds([&] { return lease.refresh(agent); }));
  });
  expect(files.names() == held());
  return expect.result();
}

/// Two threads refresh while a watcher reads the lock file, again and again: it is there and whole each time.
template <class Systems>
std::int64_t watcher() {
  constexpr int rounds = 5;
  Expectations expect;
  const Files files;
  typename Systems::Lease lease(files.path("lock"));
  const LeasePaths paths(files.path("lock"));
  expect(lease.acquire(agent));
  on_threads(3, [&](unsigned i) {
    for (int round = 0; round < rounds; ++round) {
      if (i == 0) {
        const auto seen = [&] { return LockFile::read(paths).record; };
        expect(succeeds([&] { return seen().value_or(LeaseRecord{}).agent == agent; }));
        expect(succeeds([&] { return lease.holder() == agent; }));
      } else {
        expect(succeeds([&] { return lease.refresh(agent); }));
      }
    }
  });
  expect(lease.release(agent));
  expect(files.names() == Names{"lock.guard"});
  return expect.result();
}

constexpr std::array all{
    Scenario{"lease-50-refresh", "", 3000, fifty_refresh<CorrectSystems>},
    Scenario{"lease-50-refresh", "lease-shared-temp", 3000, fifty_refresh<bug::LeaseSharedTemp>},
    Scenario{"lease-refresh-and-acquire", "", 500, refresh_and_acquire<CorrectSystems>},
    Scenario{"lease-refresh-and-acquire", "lease-unlink-rewrite", 500, refresh_and_acquire<bug::LeaseUnlinkRewrite>},
    Scenario{"lease-10-agents", "", 1000, ten_agents<CorrectSystems>},
    Scenario{"lease-100-refreshes", "", 3000, hundred_refreshes<CorrectSystems>},
    Scenario{"lease-watcher", "", 500, watcher<CorrectSystems>},
    Scenario{"lease-watcher", "lease-unlink-rewrite", 500, watcher<bug::LeaseUnlinkRewrite>},
};

}  // namespace

std::span<const Scenario> lease_scenarios() noexcept { return all; }

}  // namespace threadbare
