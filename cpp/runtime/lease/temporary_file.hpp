// The file that becomes the lock: written under a name of its own, then given the lock's name in one step.
#pragma once

#include "runtime/lease/descriptor.hpp"
#include "runtime/lease/paths.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace threadbare::runtime {

/// Its name is `<lock>.<process>.<number>.tmp`, with leading zeros, and is gone when this is, unless even `unlink` fails.
class TemporaryFile {
 public:
  /// Throws `std::system_error`, and then no file is left.
  TemporaryFile(const LeasePaths &paths, std::string_view text) : TemporaryFile(paths, create_unique(paths), text) {}

  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;
  ~TemporaryFile() {
    if (named_) ::unlink(path_.c_str());
  }

  /// Makes it the lock unless there is one. Throws `std::system_error`, and then it is not the lock.
  [[nodiscard]] bool become_first_lock() {
    if (::link(path_.c_str(), paths_.lock.c_str()) == 0) return true;
    if (errno == EEXIST) return false;
    throw_errno("link", paths_.lock);
  }

  /// Makes it the lock in place of the one there is. Throws `std::system_error`, and then the old one stays.
  void replace_lock() {
    if (std::rename(path_.c_str(), paths_.lock.c_str()) != 0) throw_errno("rename", paths_.lock);
    forget_name();
  }

 protected:
  struct Created {
    std::string path;
    Descriptor file;
  };

  /// Fills a new, empty file.
  TemporaryFile(const LeasePaths &paths, Created created, std::string_view text)
      : TemporaryFile(paths, created) {
    // From here on the destructor removes the file, whatever is thrown.
    while (!text.empty()) {
      const ssize_t count = uninterrupted([&] { return ::write(created.file.number(), text.data(), text.size()); });
      if (count < 0) throw_errno("write", path_);
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    // On disk before it has the lock's name: not even a power failure leaves a lock that is not whole.
    if (uninterrupted([&] { return ::fsync(created.file.number()); }) != 0) throw_errno("fsync", path_);
    if (!created.file.close()) throw_errno("close", path_);
  }

  /// There is nothing left to remove under its name.
  void forget_name() noexcept { named_ = false; }

 private:
  // Lifetime: owns the name from here on, not the descriptor.
  TemporaryFile(const LeasePaths &paths, Created &created) noexcept
      : paths_(paths), path_(std::move(created.path)) {}

  static Created create_unique(const LeasePaths &paths) {
    static std::atomic<std::uint64_t> next_number{0};
    while (true) {
      // Ordering: relaxed, as only the numbers have to differ.
      const std::uint64_t number = next_number.fetch_add(1, std::memory_order_relaxed);
      // Of one width, so that names differ by their numbers only and a listing has them in their order.
      std::array<char, 48> end;
      std::snprintf(end.data(), end.size(), ".%010jd.%020ju.tmp", std::intmax_t{::getpid()}, std::uintmax_t{number});
      std::string path = paths.lock + end.data();
      // O_EXCL, as an old file of this name may be the present lock by its second name, and must not be emptied.
      Descriptor file = Descriptor::open(path, O_WRONLY | O_CREAT | O_EXCL);
      if (file.is_open()) return {std::move(path), std::move(file)};
      // A crash of a process with our number left it, and it could not be removed.
      if (errno != EEXIST) throw_errno("open", path);
    }
  }

  const LeasePaths &paths_;
  const std::string path_;
  bool named_ = true;
};

/// Removes the temporary files that crashes left behind. The caller holds the guard, so none of them is in use.
/// Does what it can: what cannot be removed now waits for the next time.
inline void sweep_temporary_files(const LeasePaths &paths) {
  const auto is_number = [](std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  const auto is_ours = [&](std::string_view file) {
    constexpr std::string_view suffix = ".tmp";
    if (!file.starts_with(paths.name) || !file.ends_with(suffix)) return false;
    file.remove_prefix(paths.name.size());
    if (file.size() <= suffix.size() || !file.starts_with('.')) return false;
    file = file.substr(1, file.size() - 1 - suffix.size());
    const std::size_t dot = file.find('.');
    return dot != std::string_view::npos && is_number(file.substr(0, dot)) && is_number(file.substr(dot + 1));
  };
  struct Close {
    void operator()(DIR *directory) const noexcept { ::closedir(directory); }
  };
  const std::unique_ptr<DIR, Close> directory(::opendir(paths.directory.empty() ? "." : paths.directory.c_str()));
  if (!directory) return;
  while (const dirent *entry = ::readdir(directory.get())) {
    if (is_ours(entry->d_name)) ::unlink((paths.directory + entry->d_name).c_str());
  }
}

}  // namespace threadbare::runtime
