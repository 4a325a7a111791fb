// Peterson's algorithm with release and acquire: what a thread stores may reach the other one after it has looked whether
// that one is interested, so both enter.
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

std::atomic<bool> interested[2]{};
std::atomic<int> turn{0};
int inside = 0;

void work(int self) {
  const int other = 1 - self;
  interested[self].store(true, std::memory_order_release);
  // Ordering: nothing keeps the loads after this store.
  turn.store(other, std::memory_order_release);
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
