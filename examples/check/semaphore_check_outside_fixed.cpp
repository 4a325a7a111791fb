// Who has counted itself as a sleeper looks at the permits again before it waits.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 2
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

std::mutex mutex;
std::condition_variable released;
std::atomic<int> permits{0};
std::atomic<int> sleepers{0};

void acquire() {
  while (permits.load() == 0) {
    std::unique_lock lock(mutex);
    sleepers.fetch_add(1);
    released.wait(lock, [] { return permits.load() > 0; });
    sleepers.fetch_sub(1);
  }
  permits.fetch_sub(1);
}

void release() {
  permits.fetch_add(1);
  if (sleepers.load() > 0) {
    const std::lock_guard lock(mutex);
    released.notify_one();
  }
}

}  // namespace

int main() {
  std::thread worker(acquire);
  release();
  worker.join();
}
