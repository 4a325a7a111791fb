// Reader and writer both take the lock.
//
// verdict: clean
// sanitizer: thread
// points: memory
// threads: 3
#include <cassert>
#include <mutex>
#include <thread>

namespace {

std::mutex mutex;
int balance = 0;

void deposit() {
  const std::lock_guard lock(mutex);
  balance += 10;
}

void look() {
  const std::lock_guard lock(mutex);
  assert(balance == 0 || balance == 10);
}

}  // namespace

int main() {
  std::thread writer(deposit);
  std::thread reader(look);
  writer.join();
  reader.join();
}
