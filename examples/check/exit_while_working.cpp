// Main returns without waiting for the detached worker. The ledger's destructor runs while the worker is in the
// midst of an entry.
//
// verdict: failed-assertion
// sanitizer: none
// points: sync
// threads: 2
#include <atomic>
#include <cassert>
#include <thread>

namespace {

class Ledger {
 public:
  ~Ledger() { assert(open_.load() == 0); }

  void enter() {
    open_.fetch_add(1);
    open_.fetch_sub(1);
  }

 private:
  std::atomic<int> open_{0};
};

Ledger ledger;

}  // namespace

int main() {
  std::thread worker([] { ledger.enter(); });
  worker.detach();
}
