// `std::terminate` without an exception, as a thread's destructor calls it, is an abort. A handler may end it otherwise.
//
// ending: aborted
// ending: status 9
#include <atomic>
#include <cstdlib>
#include <exception>
#include <thread>

int main() {
  static std::atomic<bool> handled{false};
  std::thread thread([] { handled = true; });
  std::this_thread::yield();
  if (handled) std::set_terminate([] { std::_Exit(9); });
}
