// Atomic operations by name are points everywhere, of each size and on each kind.
//
// ending: status 0
// ending: status 1
// ending: status 2
// ending: status 3
// ending: status 4
// ending: status 5
#include <atomic>
#include <thread>

namespace {

std::atomic<char> first{0};
std::atomic<short> second{0};
std::atomic<int> third{0};
std::atomic<long> fourth{0};
std::atomic_flag fifth;

}  // namespace

int main() {
  std::thread thread([] {
    first.store(1);
    second.fetch_add(1);
    third.exchange(1);
    for (long expected = 0; !fourth.compare_exchange_weak(expected, 1); expected = 0) {
    }
    fifth.test_and_set();
  });
  const bool last = fifth.test();
  const int seen = (last ? 5 : 0);
  // Read from the last one on, so that what is seen is how far the thread had come, or farther.
  const int result = last ? seen : fourth != 0 ? 4 : third != 0 ? 3 : second != 0 ? 2 : first != 0 ? 1 : 0;
  thread.join();
  return result;
}
