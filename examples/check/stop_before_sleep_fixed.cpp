// The request is made under the lock that the worker holds from its look until it waits.
//
// verdict: clean
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
  {
    const std::lock_guard lock(mutex);
    worker.request_stop();
  }
  wake.notify_one();
}
