// The writer changes the balance under the lock; the reader looks at it without.
//
// verdict: data-race
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
  assert(balance == 0 || balance == 10);
}

}  // namespace

int main() {
  std::thread writer(deposit);
  std::thread reader(look);
  writer.join();
  reader.join();
}
