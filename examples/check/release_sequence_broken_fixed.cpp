// Each stage is released.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
// memory: cpp20
#include <atomic>
#include <cassert>
#include <thread>

namespace {

std::atomic<int> result{0};
std::atomic<int> stage{0};

void work() {
  result.store(42, std::memory_order_relaxed);
  stage.store(1, std::memory_order_release);
  stage.store(2, std::memory_order_release);
}

void look() {
  while (stage.load(std::memory_order_acquire) < 1) std::this_thread::yield();
  assert(result.load(std::memory_order_relaxed) == 42);
}

}  // namespace

int main() {
  std::thread worker(work);
  std::thread reader(look);
  worker.join();
  reader.join();
}
