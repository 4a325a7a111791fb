// The counter is increased by one compare-exchange, and nobody looks whether it succeeded. When the other thread was
// faster, the increment is lost.
//
// verdict: failed-assertion
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
  counter.compare_exchange_strong(seen, seen + 1);
}

}  // namespace

int main() {
  std::thread one(increment);
  std::thread other(increment);
  one.join();
  other.join();
  assert(counter.load() == 2);
}
