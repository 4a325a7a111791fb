// There are at least as many tickets as threads.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 4
#include <atomic>
#include <cassert>
#include <thread>

namespace {

constexpr unsigned tickets = 4;

std::atomic<unsigned> drawn{0};
std::atomic<bool> served[tickets]{true};
std::atomic<int> inside{0};

void work() {
  const unsigned ticket = drawn.fetch_add(1) % tickets;
  while (!served[ticket].load()) std::this_thread::yield();
  const int others = inside.fetch_add(1);
  assert(others == 0);
  inside.fetch_sub(1);
  served[ticket].store(false);
  served[(ticket + 1) % tickets].store(true);
}

}  // namespace

int main() {
  std::thread one(work);
  std::thread two(work);
  std::thread three(work);
  one.join();
  two.join();
  three.join();
}
