// An exclusive lock that lives in a file.
#pragma once

#include "runtime/lease/guard.hpp"
#include "runtime/lease/lock_file.hpp"
#include "runtime/lease/paths.hpp"
#include "runtime/lease/policy.hpp"
#include "runtime/lease/record.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace threadbare::runtime {

/// One agent at a time owns the lease of a path, among all threads of all processes of a machine. While it is held,
/// there is a file at the path, which says who holds it since when:
///
///     {"agent":7,"acquired":1700000000000000,"refreshed":1700000004000000}
///
/// in microseconds since the system clock's epoch. Whoever reads the file finds it whole at any moment, and always
/// there while the lease is refreshed. Anything else in it counts as no lease at all.
///
/// An operation that changes something holds `<path>.guard` locked meanwhile, a file that stays, and that nobody
/// may remove while the path is in use: so what an operation has read is still true when it acts. Files of the name
/// `<path>.<number>.<number>.tmp` are the lease's own. None is left after an operation, whether it failed or not;
/// where a crash left one, or where removing one failed, the next operation that takes the guard, by any process,
/// removes it.
///
/// Each operation changes the lease in one last system call, so one that throws has changed nothing, and nothing is
/// ever to be undone. (Only where the system reports a failure of what it did all the same, as a network file system
/// may, is that not so.) Operations throw `std::system_error` where a system call fails, and block the calling thread,
/// not just its coroutine, while others of the same path are under way. The system calls are open, read, write, fsync,
/// close, flock, link, rename, unlink, opendir, readdir and closedir.
///
/// One object may be used by many threads at once.
template <class Policy>
class BasicLease {
 public:
  using Agent = std::uint32_t;

  /// Touches no file. Throws `std::invalid_argument` if `path` names no file.
  explicit BasicLease(std::string path) : paths_(std::move(path)) {}

  /// Makes `agent` the owner if there is none; false if there is one, even if it is `agent`.
  [[nodiscard]] bool acquire(Agent agent) {
    const auto guard = enter<LeaseOperation::Acquire>();
    const LockFile lock = LockFile::read(paths_);
    if (lock.record) return false;
    const std::chrono::microseconds now = LeaseRecord::now();
    typename Policy::Temporary temporary(paths_, LeaseRecord{agent, now, now}.text());
    // Even someone who takes no guard cannot lose a lock to the one that is made here.
    if (!lock.present) return temporary.become_first_lock();
    temporary.replace_lock();
    return true;
  }

  /// Notes that `agent` is still at work; false if it is not the owner.
  [[nodiscard]] bool refresh(Agent agent) {
    const auto guard = enter<LeaseOperation::Refresh>();
    const std::optional<LeaseRecord> held = LockFile::read(paths_).record;
    if (!held || held->agent != agent) return false;
    Policy::template publish<typename Policy::Temporary>(paths_, {agent, held->acquired, LeaseRecord::now()});
    return true;
  }

  /// Ends the ownership of `agent`; false if it is not the owner.
  [[nodiscard]] bool release(Agent agent) {
    const auto guard = enter<LeaseOperation::Release>();
    const std::optional<LeaseRecord> held = LockFile::read(paths_).record;
    if (!held || !Policy::may_release(*held, agent)) return false;
    return LockFile::remove(paths_);
  }

  /// The owner, if there is one. Takes no guard and never waits.
  [[nodiscard]] std::optional<Agent> holder() const {
    const std::optional<LeaseRecord> held = LockFile::read(paths_).record;
    if (!held) return std::nullopt;
    return held->agent;
  }

  /// Ends the ownership of whoever was last heard of `timeout` ago or earlier; a timeout of 0 ends any. False if
  /// there is none to end.
  [[nodiscard]] bool cleanup_stale(std::chrono::microseconds timeout) {
    const auto guard = enter<LeaseOperation::CleanupStale>();
    const std::optional<LeaseRecord> held = LockFile::read(paths_).record;
    if (!held) return false;
    // By a clock that can be set back, even what was heard just now may lie in the future.
    const bool any = timeout <= std::chrono::microseconds::zero();
    if (!any && held->refreshed > LeaseRecord::now() - timeout) return false;
    return LockFile::remove(paths_);
  }

 private:
  template <LeaseOperation operation>
  [[nodiscard]] std::optional<LeaseGuard> enter() const {
    std::optional<LeaseGuard> guard;
    if constexpr (Policy::is_guarded(operation)) {
      guard.emplace(paths_);
      Policy::sweep(paths_);
    }
    return guard;
  }

  const LeasePaths paths_;
};

using Lease = BasicLease<CorrectLease>;

}  // namespace threadbare::runtime
