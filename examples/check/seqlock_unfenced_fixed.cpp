// A fence keeps the second look at the sequence number after the loads of the values.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 4
// memory: cpp20
#include <atomic>
#include <cassert>
#include <thread>

namespace {

std::atomic<unsigned> sequence{0};
std::atomic<int> parts[3]{};

void change() {
  for (int value = 1; value <= 2; ++value) {
    const unsigned before = sequence.load(std::memory_order_relaxed);
    sequence.store(before + 1, std::memory_order_relaxed);
    // Ordering: whoever sees one of the values and acquires sees the odd number.
    std::atomic_thread_fence(std::memory_order_release);
    for (auto &part : parts) part.store(value, std::memory_order_relaxed);
    sequence.store(before + 2, std::memory_order_release);
  }
}

void look() {
  unsigned before = 0;
  int seen[3]{};
  do {
    std::this_thread::yield();
    before = sequence.load(std::memory_order_acquire);
    for (int part = 0; part < 3; ++part) seen[part] = parts[part].load(std::memory_order_relaxed);
    // Ordering: acquires the odd number of whatever change a value is of.
    std::atomic_thread_fence(std::memory_order_acquire);
  } while (before % 2 != 0 || sequence.load(std::memory_order_relaxed) != before);
  assert(seen[0] == seen[1] && seen[1] == seen[2]);
}

}  // namespace

int main() {
  std::thread writer(change);
  std::thread one(look);
  std::thread other(look);
  writer.join();
  one.join();
  other.join();
}
