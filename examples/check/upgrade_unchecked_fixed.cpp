// The writer looks again before it fills the cache.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <cassert>
#include <mutex>
#include <shared_mutex>
#include <thread>

namespace {

std::shared_mutex mutex;
bool filled = false;
int fillings = 0;

void use() {
  {
    const std::shared_lock lock(mutex);
    if (filled) return;
  }
  const std::unique_lock lock(mutex);
  if (filled) return;
  filled = true;
  ++fillings;
  assert(fillings == 1);
}

}  // namespace

int main() {
  std::thread one(use);
  std::thread other(use);
  one.join();
  other.join();
}
