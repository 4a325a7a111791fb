// Main waits for the version to change from what it was at the start.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 2
#include <atomic>
#include <thread>

namespace {

std::atomic<int> version{0};

void publish() {
  version.store(1);
  version.notify_one();
}

}  // namespace

int main() {
  std::thread worker(publish);
  version.wait(0);
  worker.join();
}
