#include "bugs/lease_release_foreign.hpp"
#include "check.hpp"
#include "directory.hpp"
#include "runtime/lease.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using namespace threadbare::runtime;
using namespace std::chrono_literals;

namespace {

using Names = std::set<std::string>;
const Names held{"lock", "lock.guard"};
const Names released{"lock.guard"};

/// How many of `count` threads, all let go at once, return true from `body(number)`.
template <class Body>
int count_of(unsigned count, Body body) {
  std::atomic<int> successes{0};
  std::barrier start(static_cast<std::ptrdiff_t>(count));
  std::vector<std::thread> threads;
  for (unsigned number = 0; number < count; ++number) {
    threads.emplace_back([&, number] {
      start.arrive_and_wait();
      if (body(number)) ++successes;
    });
  }
  for (std::thread &thread : threads) thread.join();
  return successes;
}

/// Written as if it had been refreshed at the epoch.
void plant_lock(const std::string &path, std::uint32_t agent) { write_file(path, LeaseRecord{agent, {}, {}}.text()); }

}  // namespace

TEST("an agent acquires, refreshes and releases; a foreign one can do nothing") {
  const Directory directory;
  Lease lease(directory / "lock");
  CHECK(!lease.holder());
  CHECK(!lease.refresh(7));
  CHECK(!lease.release(7));
  CHECK(lease.acquire(7));
  CHECK(lease.holder() == 7u);
  CHECK(!lease.acquire(7));
  CHECK(!lease.acquire(8));
  CHECK(lease.refresh(7));
  CHECK(!lease.refresh(8));
  CHECK(!lease.release(8));
  CHECK(lease.holder() == 7u);
  CHECK(directory.names() == held);
  CHECK(lease.release(7));
  CHECK(!lease.release(7));
  CHECK(!lease.holder());
  CHECK(directory.names() == released);
  CHECK(lease.acquire(8));
  CHECK(lease.holder() == 8u);
}

TEST("the file says who holds the lease since when, and a refresh keeps the time of acquiring") {
  const Directory directory;
  Lease lease(directory / "lock");
  const auto before = LeaseRecord::now();
  CHECK(lease.acquire(4'294'967'295));
  const auto acquired = LeaseRecord::parse(read_file(directory / "lock"));
  CHECK(acquired && acquired->agent == 4'294'967'295);
  CHECK(before <= acquired->acquired && acquired->acquired == acquired->refreshed);
  std::this_thread::sleep_for(2ms);
  CHECK(lease.refresh(4'294'967'295));
  const auto refreshed = LeaseRecord::parse(read_file(directory / "lock"));
  CHECK(refreshed && refreshed->acquired == acquired->acquired && refreshed->refreshed > acquired->refreshed);
}

TEST("a record is exactly its JSON, and nothing else is one") {
  const LeaseRecord record{7, 1'700'000'000'000'000us, 1'700'000'004'000'000us};
  const std::string text = R"({"agent":7,"acquired":1700000000000000,"refreshed":1700000004000000})";
  CHECK(record.text() == text);
  for (const LeaseRecord &extreme : {LeaseRecord{}, LeaseRecord{UINT32_MAX, std::chrono::microseconds::max(),
                                                                std::chrono::microseconds::min()}}) {
    CHECK(extreme.text().size() <= LeaseRecord::longest_text);
    const auto parsed = LeaseRecord::parse(extreme.text());
    CHECK(parsed && parsed->agent == extreme.agent && parsed->acquired == extreme.acquired);
    CHECK(parsed->refreshed == extreme.refreshed);
  }
  for (std::size_t size = 0; size < text.size(); ++size) CHECK(!LeaseRecord::parse(text.substr(0, size)));
  for (const char *corrupt :
       {R"({"agent":7,"acquired":1,"refreshed":2} )", R"({"agent":07,"acquired":1,"refreshed":2})",
        R"({"agent":4294967296,"acquired":1,"refreshed":2})", R"({"agent":-7,"acquired":1,"refreshed":2})",
        R"({"agent":7,"acquired":1,"refreshed":99999999999999999999})", R"({"agent":7,"acquired":1,"refreshed":2}})",
        R"({"agent": 7,"acquired":1,"refreshed":2})", R"({"acquired":1,"agent":7,"refreshed":2})", "null"}) {
    CHECK(!LeaseRecord::parse(corrupt));
  }
}

TEST("of 20 threads that acquire at once, 1 wins") {
  const Directory directory;
  Lease lease(directory / "lock");
  for (int round = 0; round < 20; ++round) {
    std::atomic<std::uint32_t> winner{0};
    const auto acquire = [&](unsigned number) {
      if (!lease.acquire(number)) return false;
      winner = number;
      return true;
    };
    CHECK(count_of(20, acquire) == 1);
    CHECK(lease.holder() == winner.load());
    CHECK(lease.release(winner));
  }
  CHECK(directory.names() == released);
}

TEST("the owner is alone, among threads and among processes") {
  constexpr int processes = 3;
  const Directory directory;
  // A lock file of the plainest kind tells two owners at once.
  const std::string inside = directory / "inside";
  std::vector<pid_t> children;
  for (int process = 0; process < processes; ++process) {
    const pid_t child = ::fork();
    CHECK(child >= 0);
    if (child == 0) {
      Lease lease(directory / "lock");
      const auto work = [&](unsigned thread) {
        const auto agent = static_cast<std::uint32_t>(::getpid()) * 4 + thread;
        for (int turns = 0; turns < 10;) {
          if (!lease.acquire(agent)) {
            std::this_thread::yield();
            continue;
          }
          const int file = ::open(inside.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600);
          if (file < 0 || ::close(file) != 0) return false;
          if (!lease.refresh(agent) || lease.holder() != agent) return false;
          if (::unlink(inside.c_str()) != 0 || !lease.release(agent)) return false;
          ++turns;
        }
        return true;
      };
      ::_exit(count_of(4, work) == 4 ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child && status == 0);
  }
  CHECK(directory.names() == released);
}

TEST("50 threads refresh one lease: all succeed") {
  const Directory directory;
  CHECK(Lease(directory / "lock").acquire(7));
  // Each by an object of its own, as separate parts of a program would.
  CHECK(count_of(50, [&](unsigned) { return Lease(directory / "lock").refresh(7); }) == 50);
  CHECK(directory.names() == held);
}

TEST("while one agent refreshes, all its refreshes succeed and no other agent acquires") {
  constexpr int rounds = 200;
  const Directory directory;
  Lease lease(directory / "lock");
  CHECK(lease.acquire(1));
  std::atomic<int> refreshed{0};
  std::atomic<int> acquired{0};
  count_of(2, [&](unsigned number) {
    for (int round = 0; round < rounds; ++round) {
      if (number == 0) refreshed += lease.refresh(1);
      if (number == 1) acquired += lease.acquire(2);
    }
    return true;
  });
  CHECK(refreshed == rounds);
  CHECK(acquired == 0);
}

TEST("10 agents on 10 files: all succeed, and no lease takes another's files for its own") {
  const Directory directory;
  const auto work = [&](unsigned number) {
    // Each name begins with the one before.
    std::string name = "lock";
    for (unsigned i = 0; i < number; ++i) name += ".1";
    Lease lease(directory / name);
    bool all = lease.acquire(number);
    for (int round = 0; round < 20; ++round) all = lease.refresh(number) && all;
    return lease.holder() == number && lease.release(number) && all;
  };
  CHECK(count_of(10, work) == 10);
  CHECK(directory.names().size() == 10);
}

TEST("100 refreshes leave no temporary file") {
  const Directory directory;
  Lease lease(directory / "lock");
  CHECK(lease.acquire(7));
  for (int round = 0; round < 100; ++round) {
    CHECK(lease.refresh(7));
    CHECK(directory.names() == held);
  }
}

TEST("who watches the file of a lease that is refreshed always finds it there and whole") {
  const Directory directory;
  Lease lease(directory / "lock");
  CHECK(lease.acquire(7));
  std::atomic<bool> done{false};
  std::thread watcher([&] {
    do {
      const auto record = LeaseRecord::parse(read_file(directory / "lock"));
      CHECK(record && record->agent == 7);
      CHECK(lease.holder() == 7u);
    } while (!done);
  });
  CHECK(count_of(4, [&](unsigned) {
          bool all = true;
          for (int round = 0; round < 100; ++round) all = lease.refresh(7) && all;
          return all;
        }) == 4);
  done = true;
  watcher.join();
}

TEST("a corrupt lock file counts as none, and 1 of 10 threads acquires over it") {
  const Directory directory;
  Lease lease(directory / "lock");
  const std::string whole = LeaseRecord{7, {}, {}}.text();
  for (const std::string &corrupt : {std::string(), whole.substr(0, 20), whole + "\n", std::string(1000, 'x')}) {
    write_file(directory / "lock", corrupt);
    CHECK(!lease.holder());
    CHECK(!lease.refresh(7));
    CHECK(!lease.release(7));
    CHECK(!lease.cleanup_stale(0us));
    CHECK(read_file(directory / "lock") == corrupt);
    CHECK(count_of(10, [&](unsigned number) { return lease.acquire(number); }) == 1);
    CHECK(lease.holder());
    CHECK(directory.names() == held);
  }
}

TEST("a lease is stale once its last refresh is as long ago as asked") {
  const Directory directory;
  Lease lease(directory / "lock");
  CHECK(!lease.cleanup_stale(0us));
  CHECK(lease.acquire(7));
  CHECK(!lease.cleanup_stale(1h));
  CHECK(!lease.cleanup_stale(std::chrono::microseconds::max()));
  CHECK(lease.holder() == 7u);
  CHECK(lease.cleanup_stale(0us));
  CHECK(!lease.holder());
  plant_lock(directory / "lock", 7);
  CHECK(lease.refresh(7));
  CHECK(!lease.cleanup_stale(1h));
  plant_lock(directory / "lock", 7);
  CHECK(lease.cleanup_stale(1h));
  CHECK(directory.names() == released);
}

TEST("a lease that was refreshed in the future is stale only where any is") {
  const Directory directory;
  Lease lease(directory / "lock");
  write_file(directory / "lock", LeaseRecord{7, {}, std::chrono::microseconds::max()}.text());
  CHECK(!lease.cleanup_stale(1us));
  CHECK(lease.cleanup_stale(0us));
}

TEST("of those who clean up one stale lease and then acquire it, 1 cleans up and 1 acquires") {
  const Directory directory;
  Lease lease(directory / "lock");
  for (int round = 0; round < 50; ++round) {
    plant_lock(directory / "lock", 99);
    std::atomic<int> cleaned{0};
    const auto take_over = [&](unsigned number) {
      cleaned += lease.cleanup_stale(1h);
      return lease.acquire(number);
    };
    CHECK(count_of(2, take_over) == 1);
    CHECK(cleaned == 1);
    CHECK(lease.cleanup_stale(0us));
  }
}

TEST("each operation removes what a crash left, and nothing else") {
  const Directory directory;
  Lease lease(directory / "lock");
  const Names others{"lock.1.tmp",     "lock.1.2",    "lock.1.2.3.tmp", "lock.x.2.tmp", "lock..2.tmp",
                     "lock.1..tmp",    "lock.tmp",    "lock1.2.tmp",    "other.1.2.tmp", "lock.1.2.tmp.guard"};
  for (const std::string &name : others) write_file(directory / name, "another's");
  Names expected = others;
  expected.insert("lock.guard");
  const auto leaves_none = [&](auto operation) {
    write_file(directory / "lock.1.2.tmp", "");
    write_file(directory / "lock.4294967.0.tmp", LeaseRecord{8, {}, {}}.text());
    CHECK(operation());
    CHECK(directory.names() == expected);
  };
  leaves_none([&] { return !lease.refresh(7); });
  leaves_none([&] { return !lease.release(7); });
  leaves_none([&] { return !lease.cleanup_stale(0us); });
  expected.insert("lock");
  leaves_none([&] { return lease.acquire(7); });
  leaves_none([&] { return lease.refresh(7); });
  // As where the crash came between the link and the removal of the first name.
  CHECK(::link((directory / "lock").c_str(), (directory / "lock.5.6.tmp").c_str()) == 0);
  leaves_none([&] { return !lease.acquire(8); });
  CHECK(lease.holder() == 7u);
}

TEST("what cannot be is an error: no name, no directory, no permission, no file") {
  CHECK_THROWS(std::invalid_argument, Lease(""));
  CHECK_THROWS(std::invalid_argument, Lease("somewhere/"));
  const Directory directory;
  Lease nowhere(directory / "missing/lock");
  CHECK_THROWS(std::system_error, nowhere.acquire(7));
  CHECK_THROWS(std::system_error, nowhere.cleanup_stale(0us));
  CHECK(!nowhere.holder());
  CHECK(directory.names().empty());

  CHECK(::mkdir((directory / "lock").c_str(), 0700) == 0);
  Lease folder(directory / "lock");
  CHECK_THROWS(std::system_error, folder.acquire(7));
  CHECK_THROWS(std::system_error, folder.holder());
  CHECK(directory.names() == held);

  // Root may write anywhere.
  if (::geteuid() == 0) return;
  CHECK(::mkdir((directory / "closed").c_str(), 0500) == 0);
  CHECK_THROWS(std::system_error, Lease(directory / "closed/lock").acquire(7));
}

TEST("a path without a directory lies in the current one") {
  const Directory directory;
  const int before = ::open(".", O_RDONLY | O_DIRECTORY);
  CHECK(before >= 0 && ::chdir((directory / "").c_str()) == 0);
  write_file("lock.1.2.tmp", "");
  CHECK(Lease("lock").acquire(7));
  CHECK(directory.names() == held);
  CHECK(::fchdir(before) == 0 && ::close(before) == 0);
}

TEST("bug lease-release-foreign: an owner loses its lease") {
  const Directory directory;
  threadbare::bug::LeaseReleaseForeign::Lease lease(directory / "lock");
  CHECK(lease.acquire(1));
  CHECK(lease.release(2));
  CHECK(lease.acquire(2));
}
