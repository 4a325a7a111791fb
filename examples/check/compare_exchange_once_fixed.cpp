// A compare-exchange that failed is tried again with the new value.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <atomic>
#include <cassert>
#include <thread>

namespace {

std::atomic<int> counter{0};

void increment() {
  int seen = counter.load();
  while (!counter.compare_exchange_strong(seen, seen + 1)) {
  }
}

}  // namespace

int main() {
  std::thread one(increment);
  std::thread other(increment);
  one.join();
  other.join();
  assert(counter.load() == 2);
}
