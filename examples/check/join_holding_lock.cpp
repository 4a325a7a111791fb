// Main joins the worker while it holds the lock that the worker needs to finish.
//
// verdict: deadlock
// sanitizer: none
// points: sync
// threads: 2
#include <mutex>
#include <thread>

namespace {

std::mutex mutex;
int finished = 0;

void work() {
  const std::lock_guard lock(mutex);
  ++finished;
}

}  // namespace

int main() {
  std::thread worker(work);
  std::unique_lock lock(mutex);
  ++finished;
  worker.join();
}
