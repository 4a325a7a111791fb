// Each thread says that it is interested before it gives way, as Peterson's algorithm asks for.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <atomic>
#include <cassert>
#include <thread>

namespace {

std::atomic<bool> interested[2]{};
std::atomic<int> turn{0};
std::atomic<int> inside{0};

void work(int self) {
  const int other = 1 - self;
  interested[self].store(true);
  turn.store(other);
  while (interested[other].load() && turn.load() == other) std::this_thread::yield();
  const int others = inside.fetch_add(1);
  assert(others == 0);
  inside.fetch_sub(1);
  interested[self].store(false);
}

}  // namespace

int main() {
  std::thread one(work, 0);
  std::thread other(work, 1);
  one.join();
  other.join();
}
