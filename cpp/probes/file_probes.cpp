// Probes of calls on files, of what can be injected into them, and of allocations that fail.
#include "harness/directory.hpp"
#include "probes/probes.hpp"
#include "probes/scenarios/threads.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace threadbare {

namespace {

std::string path(std::string_view name) { return std::string(threadbare_directory()).append("/").append(name); }

/// A descriptor that is closed at the end of its scope.
class File {
 public:
  File(const std::string &name, int flags) : descriptor_(open(name.c_str(), flags | O_CLOEXEC, 0600)) {}
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  ~File() {
    if (*this) close(descriptor_);
  }
  explicit operator bool() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// 1 to 3: whether the file is there is asked apart from making it.
std::int64_t file_check_then_act() {
  std::atomic<int> winners{0};
  const std::string name = path("claim");
  on_threads(3, [&](int) {
    struct stat found;
    if (stat(name.c_str(), &found) == 0) return;
    sched_yield();
    const File claim(name, O_CREAT | O_WRONLY);
    if (claim) ++winners;
  });
  return winners;
}

/// Always 1: O_EXCL lets one of them make it.
std::int64_t file_exclusive() {
  std::atomic<int> winners{0};
  const std::string name = path("claim");
  on_threads(3, [&](int) {
    const File claim(name, O_CREAT | O_EXCL | O_WRONLY);
    if (claim) ++winners;
  });
  return winners;
}

/// Always 1: one thread does nothing but try to make a name that is taken, and then look for another one.
std::int64_t file_spin() {
  const std::string taken = path("taken"), awaited = path("awaited");
  mkdir(taken.c_str(), 0700);
  std::thread holder([&] {
    rmdir(taken.c_str());
    mkdir(awaited.c_str(), 0700);
  });
  while (mkdir(taken.c_str(), 0700) != 0) {
  }
  while (access(awaited.c_str(), F_OK) != 0) {
  }
  holder.join();
  return 1;
}

/// Always 1: one thread opens a file, finds it locked and closes it, over and over.
std::int64_t flock_spin() {
  const std::string name = path("lease");
  { const File made(name, O_CREAT | O_RDWR); }
  const File lease(name, O_RDWR);
  flock(lease.descriptor(), LOCK_EX);
  std::thread waiter([&] {
    for (;;) {
      const File other(name, O_RDWR);
      if (flock(other.descriptor(), LOCK_EX | LOCK_NB) == 0) return;
    }
  });
  flock(lease.descriptor(), LOCK_UN);
  waiter.join();
  return 1;
}

/// Locks or unlocks the first byte of a file for a descriptor, or tries to; 0 or an error number.
int lock_byte(int descriptor, int command, short kind) {
  struct flock byte {};
  byte.l_type = kind;
  byte.l_whence = SEEK_SET;
  byte.l_len = 1;
  return fcntl(descriptor, command, &byte) == 0 ? 0 : errno;
}

/// Always 1: one thread does nothing but look for a part of a file that is locked, and then try to lock it itself.
std::int64_t parts_spin() {
  const std::string name = path("parts");
  const File mine(name, O_CREAT | O_RDWR), other(name, O_RDWR);
  lock_byte(mine.descriptor(), F_OFD_SETLK, F_WRLCK);
  std::thread waiter([&] {
    struct flock byte {};
    do {
      byte = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1, .l_pid = 0};
      fcntl(other.descriptor(), F_OFD_GETLK, &byte);
    } while (byte.l_type != F_UNLCK);
    while (lock_byte(other.descriptor(), F_OFD_SETLK, F_RDLCK) != 0) {
    }
  });
  lock_byte(mine.descriptor(), F_OFD_SETLK, F_UNLCK);
  waiter.join();
  return 1;
}

/// Always 4: who waits for a part of a file has it alone, ordered after who had it, whether by unlocking or by closing.
std::int64_t parts_counter() {
  const std::string name = path("parts");
  int counter = 0;
  on_threads(4, [&](int i) {
    const File file(name, O_CREAT | O_RDWR);
    if (lock_byte(file.descriptor(), F_OFD_SETLKW, F_WRLCK) != 0) return;
    const int seen = counter;
    sched_yield();
    counter = seen + 1;
    if (i % 2 == 0) lock_byte(file.descriptor(), F_OFD_SETLK, F_UNLCK);
  });
  return counter;
}

/// Always 15: who may lock which parts beside whom, and whole files beside them.
std::int64_t parts_kinds() {
  const std::string name = path("parts");
  const File first(name, O_CREAT | O_RDWR), second(name, O_RDWR);
  const auto lock = [](const File &file, short kind) { return lock_byte(file.descriptor(), F_OFD_SETLK, kind) == 0; };
  std::int64_t result = 0;
  if (lock(first, F_RDLCK) && lock(second, F_RDLCK)) result |= 1;
  if (!lock(first, F_WRLCK) && errno == EAGAIN && lock(second, F_UNLCK) && lock(first, F_WRLCK)) result |= 2;
  if (flock(second.descriptor(), LOCK_EX | LOCK_NB) == 0) result |= 4;
  if (!lock(second, F_RDLCK)) result |= 8;
  return result;
}

/// Stuck in some schedules: one thread waits for a part that another one has, which waits for a mutex of the first.
std::int64_t parts_order() {
  const std::string name = path("parts");
  std::mutex mutex;
  on_threads(2, [&](int i) {
    const File file(name, O_CREAT | O_RDWR);
    if (i == 0) {
      const std::lock_guard lock(mutex);
      lock_byte(file.descriptor(), F_OFD_SETLKW, F_WRLCK);
    } else {
      lock_byte(file.descriptor(), F_OFD_SETLKW, F_WRLCK);
      const std::lock_guard lock(mutex);
    }
  });
  return 1;
}

/// 0 or 1: whether a descriptor can be written to before another thread closes it.
std::int64_t file_closed() {
  const int descriptor = open(path("closed").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  std::thread closer([&] { close(descriptor); });
  const bool written = pwrite(descriptor, "1", 1, 0) == 1;
  closer.join();
  return written ? 1 : 0;
}

/// 0 to 6: how much of a file one thread has read before another one empties it.
std::int64_t file_reads() {
  const std::string name = path("six");
  const File file(name, O_CREAT | O_RDWR);
  if (pwrite(file.descriptor(), "123456", 6, 0) != 6) return -1;
  int read_there = 0;
  std::thread reader([&] {
    char byte;
    while (read(file.descriptor(), &byte, 1) == 1) ++read_there;
  });
  if (ftruncate(file.descriptor(), 0) != 0) return -1;
  reader.join();
  return read_there;
}

/// A data race in every schedule: those that share a lock do not exclude each other.
std::int64_t flock_race() {
  const std::string name = path("shared");
  { const File made(name, O_CREAT | O_RDWR); }
  int plain = 0;
  on_threads(2, [&](int i) {
    const File file(name, O_RDWR);
    flock(file.descriptor(), LOCK_SH);
    plain += i + 1;
    flock(file.descriptor(), LOCK_UN);
  });
  return plain;
}

/// Always 2, without a race: those that share a lock see all or nothing of what is written under it.
std::int64_t flock_readers() {
  const std::string name = path("shared");
  { const File made(name, O_CREAT | O_RDWR); }
  int plain = 0;
  std::atomic<int> seen{0};
  on_threads(3, [&](int i) {
    const File file(name, O_RDWR);
    flock(file.descriptor(), i == 0 ? LOCK_EX : LOCK_SH);
    if (i == 0) {
      plain += 1;
      plain += 1;
    } else if (plain != 0 && plain != 2) {
      seen = 1;
    }
    if (i == 1) flock(file.descriptor(), LOCK_UN);
  });
  return seen == 0 ? plain : -1;
}

/// The names in the directory, each followed by a comma; they come sorted.
std::string names_in(const std::string &directory) {
  std::string names;
  DIR *stream = opendir(directory.c_str());
  if (stream == nullptr) return "none";
  while (const dirent *entry = readdir(stream))
    if (entry->d_name[0] != '.') names.append(entry->d_name).append(",");
  closedir(stream);
  return names;
}

/// Always 3: two threads fill, rename, link and unlink files of their own, and all calls tell the same of them.
std::int64_t file_calls() {
  const std::string directory = path("box");
  if (mkdir(directory.c_str(), 0700) != 0) return -2;
  std::atomic<int> right{0};
  on_threads(2, [&](int i) {
    const std::string number = std::to_string(i);
    const std::string first = directory + "/first" + number, second = directory + "/second" + number,
                      third = directory + "/third" + number;
    std::array<char, 8> bytes{};
    struct stat found;
    {
      const File file(first, O_CREAT | O_RDWR);
      const bool written = write(file.descriptor(), "abcdef", 6) == 6 && pwrite(file.descriptor(), "X", 1, 1) == 1 &&
                           ftruncate(file.descriptor(), 4) == 0 && fsync(file.descriptor()) == 0;
      const bool read_back = pread(file.descriptor(), bytes.data(), bytes.size(), 0) == 4 && bytes[1] == 'X';
      if (!written || !read_back || fstat(file.descriptor(), &found) != 0 || found.st_size != 4) return;
    }
    if (rename(first.c_str(), second.c_str()) != 0 || link(second.c_str(), third.c_str()) != 0) return;
    if (unlink(second.c_str()) != 0 || stat(third.c_str(), &found) != 0 || found.st_nlink != 1) return;
    std::ofstream(second) << "by a stream";
    std::string text;
    std::getline(std::ifstream(second), text);
    if (text == "by a stream") ++right;
  });
  return right + (names_in(directory) == "second0,second1,third0,third1," ? 1 : 0);
}

/// Always 4: `flock` excludes, orders memory, and ends with its descriptor.
std::int64_t flock_counter() {
  const std::string name = path("lock");
  int counter = 0;
  on_threads(4, [&](int i) {
    const File file(name, O_CREAT | O_RDWR);
    if (flock(file.descriptor(), LOCK_EX) != 0) return;
    const int seen = counter;
    sched_yield();
    counter = seen + 1;
    if (i % 2 == 0) flock(file.descriptor(), LOCK_UN);
  });
  return counter;
}

/// Stuck in some schedules: two locks in two orders.
std::int64_t flock_order() {
  const std::array<std::string, 2> names{path("a"), path("b")};
  on_threads(2, [&](int i) {
    const File outer(names[i == 0 ? 0 : 1], O_CREAT | O_RDWR), inner(names[i == 0 ? 1 : 0], O_CREAT | O_RDWR);
    flock(outer.descriptor(), LOCK_EX);
    sched_yield();
    flock(inner.descriptor(), LOCK_EX);
  });
  return 1;
}

/// Always 31: who may hold which lock beside whom.
std::int64_t flock_kinds() {
  const std::string name = path("lock");
  const File first(name, O_CREAT | O_RDWR), second(name, O_RDWR);
  const auto lock = [](const File &file, int how) { return flock(file.descriptor(), how | LOCK_NB) == 0; };
  std::int64_t result = 0;
  if (lock(first, LOCK_SH) && lock(second, LOCK_SH)) result |= 1;
  // It loses the shared lock that it had, and gets no other.
  if (!lock(first, LOCK_EX) && errno == EWOULDBLOCK && lock(second, LOCK_EX)) result |= 2;
  lock(second, LOCK_UN);
  const int third = open(name.c_str(), O_RDWR | O_CLOEXEC);
  flock(third, LOCK_EX);
  const int copy = dup(third);
  close(third);
  if (!lock(first, LOCK_SH)) result |= 4;
  close(copy);
  if (lock(first, LOCK_EX)) result |= 8;
  if (flock(-1, LOCK_SH) != 0 && errno == EBADF) result |= 16;
  return result;
}

/// Writes all bytes, in as many parts as it takes; 0 or an error number.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// Replaces a file by way of another name; 0 or an error number.
int replace(const std::string &name, std::string_view bytes) {
  const std::string fresh = name + ".new";
  int error = 0;
  {
    const File file(fresh, O_CREAT | O_TRUNC | O_WRONLY);
    if (!file) return errno;
    error = write_all(file.descriptor(), bytes);
    if (error == 0 && fsync(file.descriptor()) != 0) error = errno;
  }
  if (error == 0 && rename(fresh.c_str(), name.c_str()) != 0) error = errno;
  if (error != 0) {
    // Removing it may be made to fail too.
    for (int attempt = 0; attempt < 20 && unlink(fresh.c_str()) != 0; ++attempt) {
    }
  }
  return error;
}

/// 0 or an error number. Whatever fails, and wherever it crashes, "state" holds one of the two texts or is not there.
std::int64_t file_replace() {
  const std::string name = path("state");
  const int error = replace(name, "the first text");
  return error != 0 ? error : replace(name, "and the second one");
}

/// 8, or 4 where the write was cut short.
std::int64_t file_write_once() {
  const File file(path("once"), O_CREAT | O_WRONLY);
  return write(file.descriptor(), "12345678", 8);
}

/// Always 2, and leaves two descriptors, a directory and two names behind.
std::int64_t file_left_open() {
  const int first = open(path("first").c_str(), O_CREAT | O_WRONLY, 0600);
  const int second = openat(AT_FDCWD, path("second").c_str(), O_CREAT | O_WRONLY, 0600);
  DIR *stream = opendir(threadbare_directory());
  return (first >= 0) + (second >= 0) + (stream == nullptr);
}

struct alignas(128) Aligned {
  std::array<char, 128> bytes;
};

/// The allocation is needed, whatever the compiler makes of it.
template <class T>
bool is_there(const T &owner) {
  const void *address = owner.get();
  asm volatile("" : "+r"(address) : : "memory");
  return address != nullptr;
}

/// 0; 1 if an allocation threw; 2 if one gave null. Makes ten, and leaks none whichever fails.
std::int64_t allocations() {
  try {
    const auto one = std::make_unique<int>(1);
    const auto several = std::make_unique<int[]>(10);
    const auto aligned = std::make_unique<Aligned>();
    const auto aligned_several = std::make_unique<Aligned[]>(2);
    const auto text = std::make_unique<std::string>(100, 'x');
    bool all = is_there(one) && is_there(several) && is_there(aligned) && is_there(aligned_several) && is_there(text);
    // The thread's own state is the seventh.
    std::thread([&] {
      const std::unique_ptr<int> quiet(new (std::nothrow) int(2));
      const std::unique_ptr<int[]> quiet_several(new (std::nothrow) int[3]);
      const std::unique_ptr<Aligned> quiet_aligned(new (std::nothrow) Aligned);
      all = is_there(quiet) && is_there(quiet_several) && is_there(quiet_aligned) && all;
    }).join();
    return all ? 0 : 2;
  } catch (const std::bad_alloc &) {
    return 1;
  }
}

constexpr ProbeList<20> probes{{
    {"file-check-then-act", file_check_then_act},
    {"file-exclusive", file_exclusive},
    {"file-calls", file_calls},
    {"file-spin", file_spin},
    {"flock-spin", flock_spin},
    {"parts-spin", parts_spin},
    {"parts-counter", parts_counter},
    {"parts-kinds", parts_kinds},
    {"parts-order", parts_order},
    {"file-closed", file_closed},
    {"file-reads", file_reads},
    {"flock-counter", flock_counter},
    {"flock-order", flock_order},
    {"flock-kinds", flock_kinds},
    {"flock-race", flock_race},
    {"flock-readers", flock_readers},
    {"file-replace", file_replace},
    {"file-write-once", file_write_once},
    {"file-left-open", file_left_open},
    {"allocations", allocations},
}};

}  // namespace

std::int64_t file_probe(std::string_view name) { return run_probe(probes, name); }

}  // namespace threadbare
