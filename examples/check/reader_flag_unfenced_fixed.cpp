// A fence keeps the writer's look at the flags after its announcement.
//
// verdict: clean
// sanitizer: none
// points: memory
// threads: 3
// memory: cpp20
#include <atomic>
#include <cassert>
#include <thread>

namespace {

std::atomic<bool> reading{false};
std::atomic<bool> writing{false};
int x = 0;
int y = 0;

void look() {
  for (;;) {
    reading.store(true, std::memory_order_relaxed);
    // Ordering: either this sees the writer, or the writer sees the flag.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!writing.load(std::memory_order_acquire)) break;
    reading.store(false, std::memory_order_relaxed);
    while (writing.load(std::memory_order_acquire)) std::this_thread::yield();
  }
  assert(x == y);
  reading.store(false, std::memory_order_release);
}

void change() {
  writing.store(true, std::memory_order_relaxed);
  // Ordering: as the reader's.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  while (reading.load(std::memory_order_acquire)) std::this_thread::yield();
  x = 1;
  y = 1;
  writing.store(false, std::memory_order_release);
}

}  // namespace

int main() {
  std::thread reader(look);
  std::thread writer(change);
  reader.join();
  writer.join();
}
