#include "bugs/lease_shared_temp.hpp"
#include "bugs/lease_stale_unlink.hpp"
#include "bugs/lease_temp_orphan.hpp"
#include "bugs/lease_unlink_rewrite.hpp"
#include "check.hpp"
#include "directory.hpp"
#include "runtime/lease.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>

using namespace threadbare::runtime;
using namespace std::chrono_literals;

namespace {

enum class Call { Open, Read, Write, Fsync, Close, Flock, Link, Rename, Unlink, Opendir, Readdir };

/// Asked before each system call of a lease: 0, or the error that it fails with.
std::function<int(Call)> before_call;
/// Writes of more bytes than this are short.
std::size_t longest_write = SIZE_MAX;
/// Allocations until one fails.
std::optional<int> allocations_left;

/// Whether the call is to fail; `errno` says with what.
bool fails(Call call) {
  if (!before_call) return false;
  // What is asked may call as well.
  const auto ask = std::exchange(before_call, nullptr);
  const int error = ask(call);
  before_call = ask;
  if (error != 0) errno = error;
  return error != 0;
}

template <class Function>
Function *real(const char *name) {
  return reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// What follows stands in for libc's.

extern "C" int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return fails(Call::Open) ? -1 : real<int(const char *, int, ...)>("open")(path, flags, mode);
}
extern "C" ssize_t read(int file, void *buffer, std::size_t size) {
  return fails(Call::Read) ? -1 : real<ssize_t(int, void *, std::size_t)>("read")(file, buffer, size);
}
extern "C" ssize_t write(int file, const void *buffer, std::size_t size) {
  if (fails(Call::Write)) return -1;
  return real<ssize_t(int, const void *, std::size_t)>("write")(file, buffer, std::min(size, longest_write));
}
extern "C" int fsync(int file) { return fails(Call::Fsync) ? -1 : real<int(int)>("fsync")(file); }
extern "C" int close(int file) {
  // Closed even where it fails.
  const bool failed = fails(Call::Close);
  const int error = errno;
  const int result = real<int(int)>("close")(file);
  if (!failed) return result;
  errno = error;
  return -1;
}
extern "C" int flock(int file, int operation) noexcept {
  return fails(Call::Flock) ? -1 : real<int(int, int)>("flock")(file, operation);
}
extern "C" int link(const char *from, const char *to) noexcept {
  return fails(Call::Link) ? -1 : real<int(const char *, const char *)>("link")(from, to);
}
extern "C" int rename(const char *from, const char *to) noexcept {
  return fails(Call::Rename) ? -1 : real<int(const char *, const char *)>("rename")(from, to);
}
extern "C" int unlink(const char *path) noexcept {
  return fails(Call::Unlink) ? -1 : real<int(const char *)>("unlink")(path);
}
extern "C" DIR *opendir(const char *path) {
  return fails(Call::Opendir) ? nullptr : real<DIR *(const char *)>("opendir")(path);
}
extern "C" dirent *readdir(DIR *directory) {
  return fails(Call::Readdir) ? nullptr : real<dirent *(DIR *)>("readdir")(directory);
}

void *operator new(std::size_t size) {
  if (allocations_left && (*allocations_left)-- == 0) throw std::bad_alloc();
  if (void *memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }

namespace {

/// One operation, what is in the lock file before it, whether it writes one, and what it does to the owner.
struct Step {
  std::string before;
  bool writes;
  bool (*operate)(Lease &);
  std::optional<Lease::Agent> owner_before;
  std::optional<Lease::Agent> owner_after;
};

const std::string held_by_7 = LeaseRecord{7, 1us, 2us}.text();
const Step steps[] = {
    {"", true, [](Lease &lease) { return lease.acquire(8); }, {}, 8},
    {"{", true, [](Lease &lease) { return lease.acquire(8); }, {}, 8},
    {held_by_7, true, [](Lease &lease) { return lease.refresh(7); }, 7, 7},
    {held_by_7, false, [](Lease &lease) { return lease.release(7); }, 7, {}},
    {held_by_7, false, [](Lease &lease) { return lease.cleanup_stale(1h); }, 7, {}},
};

std::ptrdiff_t open_files() {
  namespace fs = std::filesystem;
  return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
}

bool has_temporary_file(const Directory &directory) {
  for (const std::string &name : directory.names()) {
    if (name.ends_with(".tmp")) return true;
  }
  return false;
}

/// A lease as `step` finds it, with what a crash left.
struct Scene {
  explicit Scene(const Step &step) : lease(directory / "lock"), files(open_files()) {
    if (!step.before.empty()) write_file(directory / "lock", step.before);
    write_file(directory / "lock.1.2.tmp", "left by a crash");
  }

  Directory directory;
  Lease lease;
  std::ptrdiff_t files;
};

/// A step that failed has changed nothing, one that succeeded has done it all.
void check_all_or_nothing(const Step &step, Scene &scene, bool succeeded) {
  CHECK(scene.lease.holder() == (succeeded ? step.owner_after : step.owner_before));
  if (!succeeded) {
    const bool there = scene.directory.names().contains("lock");
    CHECK(there == !step.before.empty() && read_file(scene.directory / "lock") == step.before);
  }
  CHECK(open_files() == scene.files);
}

/// Calls `next(n)` for n = 0, 1, ... until it says that there were not so many points.
template <class Next>
void for_each_point(Next next) {
  int point = 0;
  while (next(point)) ++point;
  CHECK(point > 5);
}

}  // namespace

TEST("whichever system call fails, an operation changes nothing or all, and leaves no file") {
  for (const Step &step : steps) {
    for (const int error : {EIO, ENOSPC}) {
      int failed_closes = 0;
      for_each_point([&](int point) {
        Scene scene(step);
        std::optional<Call> failed;
        before_call = [&](Call call) {
          if (failed || point-- > 0) return 0;
          failed = call;
          return error;
        };
        bool succeeded = false;
        try {
          succeeded = step.operate(scene.lease);
          CHECK(succeeded);
          // Done all the same; only what comes before the change, or is the change, must not fail unnoticed.
          const std::set<Call> after_or_aside{Call::Close, Call::Unlink, Call::Opendir, Call::Readdir, Call::Flock};
          CHECK(!failed || after_or_aside.contains(*failed));
        } catch (const std::system_error &thrown) {
          CHECK(failed && thrown.code() == std::error_code(error, std::generic_category()));
          failed_closes += failed == Call::Close;
        }
        before_call = nullptr;
        check_all_or_nothing(step, scene, succeeded);
        // Here the old file could not be removed, or was not even looked for: the next operation does.
        if (failed == Call::Unlink || failed == Call::Opendir || failed == Call::Readdir || failed == Call::Open ||
            failed == Call::Flock) {
          (void)scene.lease.release(99);
        }
        CHECK(!has_temporary_file(scene.directory));
        return failed.has_value();
      });
      // The close of what was written may be the one to say that it was not.
      CHECK(failed_closes == (step.writes ? 1 : 0));
    }
  }
}

TEST("wherever a process crashes, the lease is the old or the new one, and the next operation cleans up") {
  for (const Step &step : steps) {
    for_each_point([&](int point) {
      Scene scene(step);
      const pid_t child = ::fork();
      if (child == 0) {
        before_call = [&](Call) {
          if (point-- == 0) std::_Exit(3);
          return 0;
        };
        std::_Exit(step.operate(scene.lease) ? 0 : 1);
      }
      int status = 0;
      CHECK(::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) != 1);
      const auto owner = scene.lease.holder();
      CHECK(owner == step.owner_before || owner == step.owner_after);
      CHECK(!scene.lease.cleanup_stale(std::chrono::microseconds::max()));
      CHECK(!has_temporary_file(scene.directory));
      CHECK(scene.lease.holder() == owner);
      return WEXITSTATUS(status) == 3;
    });
  }
}

TEST("short writes and signals change nothing") {
  for (const Step &step : steps) {
    for (const std::size_t longest : {std::size_t{1}, std::size_t{50}}) {
      Scene scene(step);
      longest_write = longest;
      bool interrupt = false;
      before_call = [&](Call call) {
        interrupt = !interrupt;
        const bool can_be_interrupted = call == Call::Open || call == Call::Read || call == Call::Write ||
                                        call == Call::Fsync || call == Call::Flock;
        return interrupt && can_be_interrupted ? EINTR : 0;
      };
      const bool succeeded = step.operate(scene.lease);
      before_call = nullptr;
      longest_write = SIZE_MAX;
      CHECK(succeeded);
      check_all_or_nothing(step, scene, true);
      CHECK(!has_temporary_file(scene.directory));
    }
  }
}

TEST("whichever allocation fails, an operation changes nothing and leaves no file") {
  for (const Step &step : steps) {
    int failures = 0;
    for (int point = 0; point <= failures; ++point) {
      Scene scene(step);
      bool succeeded = false;
      allocations_left = point;
      try {
        succeeded = step.operate(scene.lease);
      } catch (const std::bad_alloc &) {
        ++failures;
      }
      allocations_left.reset();
      check_all_or_nothing(step, scene, succeeded);
      (void)scene.lease.release(99);
      CHECK(!has_temporary_file(scene.directory));
    }
    CHECK(failures > 0);
  }
}

TEST("who takes no guard and makes a lock meanwhile keeps it") {
  Scene scene(steps[0]);
  before_call = [&](Call call) {
    if (call == Call::Link) write_file(scene.directory / "lock", held_by_7);
    return 0;
  };
  const bool acquired = scene.lease.acquire(8);
  before_call = nullptr;
  CHECK(!acquired && read_file(scene.directory / "lock") == held_by_7);
  CHECK(!has_temporary_file(scene.directory));
}

TEST("an old temporary file of the next name, which is the lock by a second name, stays as it is") {
  const Directory directory;
  Lease lease(directory / "lock");
  std::string last;
  before_call = [&](Call call) {
    if (call != Call::Fsync) return 0;
    for (const std::string &name : directory.names()) {
      if (name.ends_with(".tmp")) last = name;
    }
    return 0;
  };
  CHECK(lease.acquire(7));
  CHECK(last.starts_with("lock."));
  const std::size_t number = last.find_first_of("123456789", last.rfind('.', last.size() - 5));
  std::string next = std::to_string(std::stoull(last.substr(number)) + 1);
  next = last.substr(0, last.size() - 4 - next.size()) + next + ".tmp";
  const std::string before = read_file(directory / "lock");
  bool planted = false;
  bool whole = false;
  before_call = [&](Call call) {
    // After the sweep.
    if (call == Call::Read && !std::exchange(planted, true)) {
      CHECK(::link((directory / "lock").c_str(), (directory / next).c_str()) == 0);
    }
    if (call == Call::Write) whole = read_file(directory / "lock") == before;
    return 0;
  };
  const bool refreshed = lease.refresh(7);
  before_call = nullptr;
  CHECK(refreshed && whole && lease.holder() == 7u);
  CHECK(read_file(directory / next) == before);
  CHECK(lease.refresh(7));
  CHECK(!has_temporary_file(directory));
}

TEST("a process forked during an operation does not keep the guard locked") {
  const Directory directory;
  Lease lease(directory / "lock");
  pid_t child = -1;
  before_call = [&](Call call) {
    if (call != Call::Fsync) return 0;
    child = ::fork();
    if (child == 0) {
      while (true) ::pause();
    }
    return 0;
  };
  CHECK(lease.acquire(7));
  before_call = nullptr;
  const int guard = ::open((directory / "lock.guard").c_str(), O_RDONLY);
  const bool unlocked = ::flock(guard, LOCK_EX | LOCK_NB) == 0;
  CHECK(child > 0 && ::kill(child, SIGKILL) == 0 && ::waitpid(child, nullptr, 0) == child);
  CHECK(::close(guard) == 0);
  CHECK(unlocked);
}

// The bugs, each in the one interleaving that shows it: what another thread does meanwhile happens in a call.

TEST("bug lease-unlink-rewrite: another agent acquires while the owner refreshes") {
  const Directory directory;
  threadbare::bug::LeaseUnlinkRewrite::Lease lease(directory / "lock");
  CHECK(lease.acquire(1));
  bool acquired = false;
  bool unlinked = false;
  before_call = [&](Call call) {
    if (call == Call::Open && unlinked) acquired = lease.acquire(2) || acquired;
    unlinked = unlinked || call == Call::Unlink;
    return 0;
  };
  const bool refreshed = lease.refresh(1);
  before_call = nullptr;
  CHECK(refreshed && acquired);
}

TEST("bug lease-shared-temp: what one refresh renames, the other does not find") {
  const Directory directory;
  threadbare::bug::LeaseSharedTemp::Lease lease(directory / "lock");
  CHECK(lease.acquire(1));
  before_call = [&](Call call) {
    if (call == Call::Rename) CHECK(lease.refresh(1));
    return 0;
  };
  CHECK_THROWS(std::system_error, lease.refresh(1));
  before_call = nullptr;
}

TEST("bug lease-stale-unlink: the slower of two removes the new lock of the faster") {
  const Directory directory;
  threadbare::bug::LeaseStaleUnlink::Lease lease(directory / "lock");
  write_file(directory / "lock", held_by_7);
  bool first = true;
  before_call = [&](Call call) {
    if (call == Call::Unlink && std::exchange(first, false)) {
      CHECK(lease.cleanup_stale(1h));
      CHECK(lease.acquire(1));
    }
    return 0;
  };
  const bool cleaned = lease.cleanup_stale(1h);
  before_call = nullptr;
  CHECK(cleaned && lease.acquire(2));
}

TEST("bug lease-temp-orphan: a rename that fails leaves a file") {
  const Directory directory;
  threadbare::bug::LeaseTempOrphan::Lease lease(directory / "lock");
  CHECK(lease.acquire(1));
  before_call = [](Call call) { return call == Call::Rename ? EIO : 0; };
  CHECK_THROWS(std::system_error, lease.refresh(1));
  before_call = nullptr;
  CHECK(lease.refresh(1));
  CHECK(has_temporary_file(directory));
}
