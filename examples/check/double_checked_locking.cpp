// The pointer that is looked at without the lock is stored and loaded relaxed. A thread may see the pointer without
// what it points to.
//
// verdict: data-race
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
  // Ordering: relaxed, so that nothing orders the settings before a reader's look at them.
  Settings *found = instance.load(std::memory_order_relaxed);
  if (found == nullptr) {
    const std::lock_guard lock(mutex);
    found = instance.load(std::memory_order_relaxed);
    if (found == nullptr) {
      found = new Settings;
      instance.store(found, std::memory_order_relaxed);
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
