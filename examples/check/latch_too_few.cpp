// A worker that finds the work cancelled returns without counting the latch down, and main waits for it for ever.
//
// verdict: deadlock
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
  if (cancelled.load()) return;
  results.fetch_add(1);
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
