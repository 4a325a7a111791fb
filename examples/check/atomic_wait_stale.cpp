// Main waits for the version to change from what it is when main looks. If the worker has changed it before, no
// further change comes.
//
// verdict: deadlock
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
  version.wait(version.load());
  worker.join();
}
