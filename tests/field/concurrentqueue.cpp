// Two producers with tokens of their own and two consumers: each element comes once, those of a producer in their order.
#include <concurrentqueue/concurrentqueue.h>

#include <atomic>
#include <cassert>
#include <thread>

int main() {
  moodycamel::ConcurrentQueue<int> queue;
  std::atomic<int> sum = 0;
  auto produce = [&](int first) {
    moodycamel::ProducerToken token(queue);
    queue.enqueue(token, first);
    queue.enqueue(token, first + 1);
  };
  auto consume = [&] {
    int last[2] = {-1, -1};
    int value = 0;
    for (int i = 0; i < 3; ++i) {
      if (!queue.try_dequeue(value)) continue;
      assert(value > last[value / 10]);
      last[value / 10] = value;
      sum += value;
    }
  };
  std::thread producer(produce, 0);
  std::thread consumer(consume);
  produce(10);
  consume();
  producer.join();
  consumer.join();
  int value = 0;
  while (queue.try_dequeue(value)) sum += value;
  assert(sum == 22);
  return 0;
}
