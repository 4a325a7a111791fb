// Dekker's algorithm with sequentially consistent flags: one of two threads that raise theirs sees the other's.
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

std::atomic<bool> up[2]{};
std::atomic<int> turn{0};
// Ordering: relaxed, since the lock orders them.
std::atomic<int> counter{0};

void lock(int self) {
  const int other = 1 - self;
  // Ordering: sequentially consistent, so that the load comes after the store.
  up[self].store(true);
  while (up[other].load()) {
    if (turn.load(std::memory_order_acquire) == self) {
      std::this_thread::yield();
      continue;
    }
    up[self].store(false, std::memory_order_release);
    while (turn.load(std::memory_order_acquire) != self) std::this_thread::yield();
    up[self].store(true);
  }
}

void unlock(int self) {
  turn.store(1 - self, std::memory_order_release);
  up[self].store(false, std::memory_order_release);
}

void add(int self) {
  lock(self);
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  unlock(self);
}

}  // namespace

int main() {
  std::thread one(add, 0);
  std::thread other(add, 1);
  one.join();
  other.join();
  assert(counter.load() == 2);
}
