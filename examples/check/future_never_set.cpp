// The worker leaves the promise unset when it finds the work cancelled, and main waits for the value for ever.
//
// verdict: deadlock
// sanitizer: none
// points: sync
// threads: 2
#include <atomic>
#include <future>
#include <thread>

namespace {

std::promise<int> promise;
std::atomic<bool> cancelled{false};

void work() {
  if (cancelled.load()) return;
  promise.set_value(42);
}

}  // namespace

int main() {
  std::thread worker(work);
  cancelled.store(true);
  promise.get_future().get();
  worker.join();
}
