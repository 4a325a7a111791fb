// What the C and C++ libraries keep for a program is as new in every execution too: handlers and random numbers.
//
// ending: status 0
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <stdlib.h>
#include <thread>

namespace {

std::terminate_handler standard = std::get_terminate();

}  // namespace

int main() {
  assert(std::rand() == 1804289383 && std::rand() == 846930886);
  assert(mrand48() == 0);
  assert(errno == 0);
  assert(standard != std::abort);
  std::thread thread([] {
    errno = EAGAIN;
    std::srand(7);
    srand48(7);
  });
  thread.join();
  assert(errno == 0);
  errno = EINVAL;
  std::set_terminate(std::abort);
  return 0;
}
