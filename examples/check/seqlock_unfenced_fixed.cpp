// A fence keeps the second look at the sequence number after the loads of the values.
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

std::atomic<unsigned> sequence{0};
std::atomic<int> x{0};
std::atomic<int> y{0};

void change() {
  const unsigned before = sequence.load(std::memory_order_relaxed);
  sequence.store(before + 1, std::memory_order_relaxed);
  // Ordering: whoever sees one of the values and acquires sees the odd number.
  std::atomic_thread_fence(std::memory_order_release);
  x.store(1, std::memory_order_relaxed);
  y.store(1, std::memory_order_relaxed);
  sequence.store(before + 2, std::memory_order_release);
}

void look() {
  unsigned before = 0;
  int seen_x = 0;
  int seen_y = 0;
  do {
    std::this_thread::yield();
    before = sequence.load(std::memory_order_acquire);
    seen_x = x.load(std::memory_order_relaxed);
    seen_y = y.load(std::memory_order_relaxed);
    // Ordering: acquires the odd number of whatever change a value is of.
    std::atomic_thread_fence(std::memory_order_acquire);
  } while (before % 2 != 0 || sequence.load(std::memory_order_relaxed) != before);
  assert(seen_x == seen_y);
}

}  // namespace

int main() {
  std::thread writer(change);
  std::thread reader(look);
  writer.join();
  reader.join();
}
