// A reader-writer lock with a flag for each reader. The writer announces itself by a release and then looks at the flags, which
// it may do before the reader sees the announcement.
//
// verdict: failed-assertion
// sanitizer: none
// points: memory
// threads: 3
// memory: tso
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
  // Ordering: the load below may come before this store.
  writing.store(true, std::memory_order_release);
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
