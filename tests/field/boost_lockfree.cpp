// Two producers and a consumer share a lock-free queue and a lock-free stack: nothing is lost, nothing comes twice.
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#include <boost/lockfree/stack.hpp>

#include <cassert>
#include <thread>

int main() {
  boost::lockfree::queue<int> queue(8);
  boost::lockfree::stack<int> stack(8);
  boost::lockfree::spsc_queue<int, boost::lockfree::capacity<2>> ring;
  int sum = 0;
  int last = 0;
  std::thread first([&] {
    queue.push(1);
    stack.push(16);
    while (!ring.push(1)) std::this_thread::yield();
    while (!ring.push(2)) std::this_thread::yield();
  });
  std::thread second([&] {
    stack.push(32);
    queue.push(2);
  });
  int value = 0;
  for (int i = 0; i < 3; ++i) {
    if (queue.pop(value)) sum += value;
    if (stack.pop(value)) sum += value;
    if (ring.pop(value)) {
      assert(value == last + 1);
      last = value;
    }
  }
  first.join();
  second.join();
  while (queue.pop(value)) sum += value;
  while (stack.pop(value)) sum += value;
  while (ring.pop(value)) {
    assert(value == last + 1);
    last = value;
  }
  assert(sum == 51);
  assert(last == 2);
  return 0;
}
