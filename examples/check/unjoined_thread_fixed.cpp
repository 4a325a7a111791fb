// Main joins the worker in every case.
//
// verdict: clean
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
  worker.join();
}
