// The worker looks whether it shall stop and then waits. The request and its notification may come in between,
// outside the lock, and nothing wakes the worker again.
//
// verdict: deadlock
// sanitizer: none
// points: sync
// threads: 2
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace {

std::mutex mutex;
std::condition_variable wake;

void work(std::stop_token stop) {
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) wake.wait(lock);
}

}  // namespace

int main() {
  std::jthread worker(work);
  worker.request_stop();
  wake.notify_one();
}
