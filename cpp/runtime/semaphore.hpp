// A semaphore of threads.
#pragma once

#include <semaphore.h>

#include <cerrno>
#include <chrono>
#include <ctime>

namespace threadbare::runtime {

/// That of POSIX, begun at 0. The standard's spins before it waits in libstdc++, which is of no use to who has nothing
/// to do.
///
/// Whoever has acquired may destroy it, even while the thread that released is on its way out of `release`.
class Semaphore {
 public:
  Semaphore() noexcept { sem_init(&semaphore_, 0, 0); }
  Semaphore(const Semaphore &) = delete;
  Semaphore &operator=(const Semaphore &) = delete;
  ~Semaphore() { sem_destroy(&semaphore_); }

  void release() noexcept { sem_post(&semaphore_); }

  void acquire() noexcept {
    // It fails only where a signal interrupts it.
    while (sem_wait(&semaphore_) != 0) continue;
  }

  /// Whether it could be acquired until then.
  [[nodiscard]] bool acquire_until(std::chrono::steady_clock::time_point deadline) noexcept {
    const auto since = deadline.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    std::timespec time{};
    time.tv_sec = static_cast<std::time_t>(seconds.count());
    time.tv_nsec = static_cast<long>(std::chrono::nanoseconds(since - seconds).count());
    while (sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &time) != 0) {
      if (errno == ETIMEDOUT) return false;
    }
    return true;
  }

 private:
  sem_t semaphore_;
};

}  // namespace threadbare::runtime
