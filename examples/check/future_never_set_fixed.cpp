// The worker sets the promise on every path.
//
// verdict: clean
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
  promise.set_value(cancelled.load() ? 0 : 42);
}

}  // namespace

int main() {
  std::thread worker(work);
  cancelled.store(true);
  promise.get_future().get();
  worker.join();
}
