// Each thread gives way by an exchange: the second one acquires that the first is interested, and the first that reads
// the turn of the second enters.
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

std::atomic<bool> interested[2]{};
std::atomic<int> turn{0};
int inside = 0;

void work(int self) {
  const int other = 1 - self;
  interested[self].store(true, std::memory_order_release);
  // Ordering: of two exchanges one reads the other's, and acquires what was released before.
  turn.exchange(other, std::memory_order_acq_rel);
  while (interested[other].load(std::memory_order_acquire) && turn.load(std::memory_order_acquire) == other) {
    std::this_thread::yield();
  }
  ++inside;
  assert(inside == 1);
  --inside;
  interested[self].store(false, std::memory_order_release);
}

}  // namespace

int main() {
  std::thread one(work, 0);
  std::thread other(work, 1);
  one.join();
  other.join();
}
