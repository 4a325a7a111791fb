// Both threads take the locks in the same order, so who holds the first gets the second.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <mutex>
#include <thread>

namespace {

std::mutex left;
std::mutex right;

void lock_both(std::mutex &first, std::mutex &second) {
  first.lock();
  while (!second.try_lock()) std::this_thread::yield();
  second.unlock();
  first.unlock();
}

}  // namespace

int main() {
  std::thread one([] { lock_both(left, right); });
  std::thread other([] { lock_both(left, right); });
  one.join();
  other.join();
}
