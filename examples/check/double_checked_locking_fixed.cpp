// Release and acquire order what the pointer points to before the pointer.
//
// verdict: clean
// sanitizer: thread
// points: memory
// threads: 3
#include <atomic>
#include <cassert>
#include <mutex>
#include <thread>

namespace {

struct Settings {
  int limit = 7;
};

std::atomic<Settings *> instance{nullptr};
std::mutex mutex;

const Settings &settings() {
  // Ordering: acquires what the release below published; the lock orders the second look.
  Settings *found = instance.load(std::memory_order_acquire);
  if (found == nullptr) {
    const std::lock_guard lock(mutex);
    found = instance.load(std::memory_order_relaxed);
    if (found == nullptr) {
      found = new Settings;
      instance.store(found, std::memory_order_release);
    }
  }
  return *found;
}

void use() { assert(settings().limit == 7); }

}  // namespace

int main() {
  std::thread one(use);
  std::thread other(use);
  one.join();
  other.join();
  delete instance.load();
}
