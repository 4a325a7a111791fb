// A transfer takes the money under the first account's lock and brings it under the second one's. An audit in
// between finds money missing.
//
// verdict: failed-assertion
// sanitizer: none
// points: sync
// threads: 3
#include <cassert>
#include <mutex>
#include <thread>

namespace {

struct Account {
  std::mutex mutex;
  int balance = 50;
};

Account savings;
Account checking;

void transfer() {
  std::unique_lock from(savings.mutex);
  savings.balance -= 10;
  from.unlock();
  std::unique_lock to(checking.mutex);
  checking.balance += 10;
}

void audit() {
  const std::lock_guard one(savings.mutex);
  const std::lock_guard other(checking.mutex);
  assert(savings.balance + checking.balance == 100);
}

}  // namespace

int main() {
  std::thread mover(transfer);
  std::thread auditor(audit);
  mover.join();
  auditor.join();
}
