// A file descriptor that closes itself, and the two rules of calling POSIX: retry what a signal interrupted,
// throw what failed.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace threadbare::runtime {

/// Throws what `errno` says about `call` on `path`.
[[noreturn]] inline void throw_errno(const char *call, const std::string &path) {
  const int error = errno;
  throw std::system_error(error, std::generic_category(), std::string(call) + " " + path);
}

/// Calls until no signal interrupts the call.
template <class Call>
auto uninterrupted(Call call) noexcept {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

class Descriptor {
 public:
  /// Not open, and the reason in `errno`, where it fails.
  [[nodiscard]] static Descriptor open(const std::string &path, int flags) noexcept {
    // The umask decides who else may use the file.
    constexpr mode_t mode = 0666;
    return Descriptor(uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
  }

  Descriptor(Descriptor &&other) noexcept : number_(std::exchange(other.number_, none)) {}
  Descriptor &operator=(Descriptor &&) = delete;
  ~Descriptor() {
    if (is_open()) ::close(number_);
  }

  [[nodiscard]] bool is_open() const noexcept { return number_ != none; }
  [[nodiscard]] int number() const noexcept { return number_; }

  /// False, with the reason in `errno`, where the system could not say that all is well. Never retried: the
  /// descriptor is gone whatever the answer.
  [[nodiscard]] bool close() noexcept { return ::close(std::exchange(number_, none)) == 0; }

 private:
  static constexpr int none = -1;
  explicit Descriptor(int number) noexcept : number_(number) {}

  int number_;
};

}  // namespace threadbare::runtime
