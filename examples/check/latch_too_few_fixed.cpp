// A worker counts the latch down on every path.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <atomic>
#include <latch>
#include <thread>

namespace {

std::latch finished{2};
std::atomic<bool> cancelled{false};
std::atomic<int> results{0};

void work() {
  if (!cancelled.load()) results.fetch_add(1);
  finished.count_down();
}

}  // namespace

int main() {
  std::thread one(work);
  std::thread other(work);
  cancelled.store(true);
  finished.wait();
  one.join();
  other.join();
}
