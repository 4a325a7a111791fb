// The reader looks again at the sequence number, but nothing keeps that load after those of the values: it may see a value
// of the next change and the number from before it.
//
// verdict: failed-assertion
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
