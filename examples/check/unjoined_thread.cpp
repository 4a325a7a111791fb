// Main joins the worker only if it still works. If it has finished, its thread object is destroyed while joinable,
// which calls std::terminate.
//
// verdict: abort
// sanitizer: none
// points: sync
// threads: 2
#include <atomic>
#include <thread>

namespace {

std::atomic<bool> finished{false};

}  // namespace

int main() {
  std::thread worker([] { finished.store(true); });
  if (!finished.load()) worker.join();
}
