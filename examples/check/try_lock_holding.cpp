// Each thread holds one lock and tries the other one again and again. When each holds what the other tries, both go
// round for ever.
//
// verdict: livelock
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
  std::thread other([] { lock_both(right, left); });
  one.join();
  other.join();
}
