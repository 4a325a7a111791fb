// main returns while detached threads still run, which are left where they are: in a lock, in a sleep, in a loop, or
// before their first step.
//
// ending: status 0
#include <atomic>
#include <cassert>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

namespace {

std::mutex lock;
std::atomic<int> started{0};
thread_local std::unique_ptr<int> own;

void work() {
  own = std::make_unique<int>(++started);
  for (;;) {
    std::lock_guard guard(lock);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::yield();
  }
}

}  // namespace

int main() {
  assert(started == 0 && !own);
  std::lock_guard guard(lock);
  for (int i = 0; i < 3; ++i) std::thread(work).detach();
  for (int i = 0; i < 4; ++i) std::this_thread::yield();
  return 0;
}
