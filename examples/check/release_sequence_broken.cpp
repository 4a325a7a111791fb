// The first stage is released and the second is not. Since C++20, whoever reads the second one acquires nothing: a plain store
// ends the sequence of the release before it.
//
// verdict: failed-assertion
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
  // Ordering: relaxed, so that it does not release what the first stage did.
  stage.store(2, std::memory_order_relaxed);
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
