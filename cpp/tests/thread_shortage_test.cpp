#include "check.hpp"
#include "runtime/runtime.hpp"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <system_error>

namespace {

/// Threads that can still be made.
std::atomic<int> threads_left{1'000'000};

}  // namespace

/// Stands in for libc's, and fails when there are no threads left.
extern "C" int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                              void *argument) {
  using Create = int(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  if (threads_left.fetch_sub(1) <= 0) return EAGAIN;
  static const auto real = reinterpret_cast<Create *>(dlsym(RTLD_NEXT, "pthread_create"));
  return real(thread, attributes, body, argument);
}

TEST("a scheduler that cannot make all its threads throws, and ends those it made") {
  for (int available = 0; available < 7; ++available) {
    threads_left = available;
    CHECK_THROWS(std::system_error, threadbare::runtime::Scheduler(8));
  }
  threads_left = 7;
  const threadbare::runtime::Scheduler scheduler(8);
}
